"""What to do about a provider's error: by its code where that helps, else by what the code means for the outbox.

Codes as in bot/providers/cloud_codes.py; Twilio's and the on-premises API's own mean what those tables say.
"""

from collections.abc import Mapping

from bot.language import _, later, translated
from bot.providers import legacy_codes, twilio_answers
from bot.providers.base import Action

_BY_ACTION: Mapping[Action, str] = {
    Action.RETRY: later("Nothing to do: Backchat tries again by itself, a few times."),
    Action.UNREACHABLE: later("Nothing to do: Backchat tries again until the provider answers."),
    Action.THROTTLE: later("Nothing to do: Backchat goes slower by itself. If it never ends, lower the number's pace."),
    Action.PAIR: later("Nothing to do: Backchat waits and tries again by itself."),
    Action.FAIL: later("It will not work a second time as it is: correct what the reason names, then send anew."),
    Action.OPTED_OUT: later(
        "Respect it: only the person can take it back. Messages that are no marketing still reach them."
    ),
    Action.COOL_DOWN: later(
        "Wait a day or more before the next marketing message; a utility template is not affected."
    ),
    Action.STOP_BROADCAST: later(
        "Fetch the templates anew, see what became of this one, and send another that is approved."
    ),
    Action.STOP_NUMBER: later(
        "Open the connection's page: its doctor says what is wrong with the account or the number."
    ),
    Action.UNKNOWN: later("Wait: a report of the provider's settles it. It is never sent a second time by itself."),
}

_BY_CODE: Mapping[int, str] = {
    100: later("Compare the template's parameters with the slots of the broadcast; fetch the templates anew."),
    190: later("Put a new access token in with `backchat connection secret`: the old one has expired or was revoked."),
    368: later("Look at the account's quality page at the provider and appeal there."),
    130472: later(
        "Nothing to do: WhatsApp leaves some people out of marketing for an experiment. A utility template goes."
    ),
    130497: later("Ask the provider for permission to write to this country."),
    131021: later("Take the business's own number out of the segment."),
    131026: later(
        "Ask the person: their number is not on WhatsApp, or their app is too old, or has not taken the new terms."
    ),
    131030: later("Add the address to the test number's list at the provider, or send from a real number."),
    131042: later("Put the means of payment in order at the provider."),
    131047: later("Send an approved template: free text goes only within 24 hours of the person's last message."),
    131048: later("Write to fewer people who did not ask for it; the limit goes away as the quality gets better."),
    131053: later("Upload the file again, in a format and a size that WhatsApp takes."),
    132000: later("Fetch the templates anew and fill every slot of this one."),
    132001: later("Fetch the templates anew: in this language there is none of that name that is approved."),
    132005: later("Shorten what fills the template."),
    132012: later("Compare what fills the slots with the examples of the template."),
    132015: later(
        "The provider paused the template for its quality: use another one, or wait until it is active again."
    ),
    132016: later("Make a new template: this one is disabled for good."),
    133010: later("Register the number at the provider."),
    63003: later("Ask the person: their number is not on WhatsApp."),
    63016: later("Send an approved template: free text goes only within 24 hours of the person's last message."),
    470: later("Send an approved template: free text goes only within 24 hours of the person's last message."),
    1013: later("Ask the person: their number is not on WhatsApp."),
}


def words(code: int | None, text: str | None) -> str:
    """The error as a sentence for people."""
    known = text or legacy_codes.MEANINGS.get(code or 0) or (code and twilio_answers.meaning(code))
    if not known:
        return _("the provider gave no reason")
    said = translated(known)
    return said if code is None or str(code) in known else _("%(known)s (error %(code)s)", known=said, code=code)


def of(code: int | None) -> str:
    """The next step."""
    if code is None:
        return _("The provider named no code: look at the raw webhook in the event log, and ask the provider.")
    return translated(_BY_CODE.get(code) or _BY_ACTION[action_of(code)])


def action_of(code: int) -> Action:
    """What a code means, whichever provider gave it."""
    if code in twilio_answers.CODES:
        return twilio_answers.CODES[code][0]
    return legacy_codes.ACTIONS.get(code, Action.FAIL)
