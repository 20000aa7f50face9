"""What Twilio's answers and error codes mean (Twilio, "Error and warning dictionary"); statuses have the same codes."""

from bot.language import later
from bot.providers import cloud_answers
from bot.providers.base import Action, Outcome
from bot.providers.cloud_identity import text_of

CODES: dict[int, tuple[Action, str]] = {
    20003: (Action.STOP_NUMBER, later("the account sid or the auth token is not valid")),
    20005: (Action.STOP_NUMBER, later("the account is not active")),
    20404: (Action.STOP_NUMBER, later("the account is not known: check the account id")),
    20429: (Action.THROTTLE, later("too many requests")),
    21211: (Action.FAIL, later("the address is not a phone number")),
    21212: (Action.STOP_NUMBER, later("the sending number is not valid")),
    21603: (Action.STOP_NUMBER, later("the sending number is missing")),
    21606: (Action.STOP_NUMBER, later("the sending number is not the account's")),
    21609: (
        Action.STOP_NUMBER,
        later("the address for statuses is not reachable: set BACKCHAT_BASE_URL to the public one"),
    ),
    21610: (Action.OPTED_OUT, later("this person has stopped messages from this number")),
    21614: (Action.FAIL, later("the address cannot receive messages")),
    21617: (Action.FAIL, later("the text is too long")),
    21620: (Action.FAIL, later("the file's address is not valid")),
    21655: (Action.STOP_BROADCAST, later("the template's ContentSid is not valid")),
    21656: (Action.STOP_BROADCAST, later("the template's variables are not valid")),
    63001: (Action.STOP_NUMBER, later("Twilio cannot log in to WhatsApp for this number")),
    63003: (Action.FAIL, later("the address is not on WhatsApp")),
    63005: (Action.FAIL, later("WhatsApp did not take this content")),
    63007: (Action.STOP_NUMBER, later("the sending number is not set up for WhatsApp")),
    63010: (Action.UNKNOWN, later("Twilio failed without saying how")),
    63012: (Action.UNKNOWN, later("WhatsApp failed without saying how")),
    63013: (Action.FAIL, later("the message breaks a policy of WhatsApp")),
    63016: (Action.FAIL, later("the 24-hour window is closed: only a template may be sent")),
    63018: (Action.THROTTLE, later("the number sends too fast")),
    63019: (Action.FAIL, later("the file could not be fetched by Twilio")),
    63020: (Action.STOP_NUMBER, later("the business has not accepted Twilio's invitation")),
    63021: (Action.FAIL, later("the content is not valid for WhatsApp")),
    63024: (Action.FAIL, later("the message cannot be delivered to this address")),
    63027: (Action.STOP_BROADCAST, later("the template does not exist in this language")),
    63028: (Action.STOP_BROADCAST, later("the number of the template's variables does not match")),
    63032: (Action.FAIL, later("WhatsApp limits what this person may be sent")),
    63038: (Action.STOP_NUMBER, later("the account has reached its limit of messages a day")),
    63040: (Action.STOP_BROADCAST, later("the template is rejected")),
    63041: (Action.STOP_BROADCAST, later("the template is paused")),
    63042: (Action.STOP_BROADCAST, later("the template is disabled")),
    63049: (Action.COOL_DOWN, later("this person gets enough marketing for now")),
}

OPT_OUTS: dict[int, str] = {code: text for code, (action, text) in CODES.items() if action is Action.OPTED_OUT}


def outcome(status: int, body: bytes) -> Outcome:
    """{"sid": …} of a message that was taken, {"code": …, "status": …} of one that was not."""
    answer = cloud_answers.read(body)
    if 200 <= status < 300:
        sid = text_of(answer, "sid")
        if sid is None:
            return Outcome(Action.UNKNOWN, text="the answer says success but names no message")
        return Outcome(Action.ACCEPTED, sid)
    code = answer.get("code")
    if status >= 500 or not isinstance(code, int):
        return cloud_answers.outcome(status, {})
    otherwise = Action.THROTTLE if status == 429 else Action.FAIL
    action, text = CODES.get(code, (otherwise, meaning(code)))
    return Outcome(action, None, code, text)


def meaning(code: int) -> str:
    return CODES[code][1] if code in CODES else f"error {code}"
