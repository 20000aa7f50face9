"""How Twilio is asked, and what its answers mean for a message."""

import base64
import hmac
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest

from bot.messages import components
from bot.providers.base import Account, Action, AnswerError, BadSignatureError, Call, OutboundMessage, UnsendableError
from bot.providers.events import MediaRef
from bot.providers.twilio import Twilio
from webhooks import cases

ACCOUNT = Account(
    "https://api.twilio.com", "AC1", {"auth_token": "the-token"}, webhook_url="https://us.example/webhooks/line"
)
LOGIN = {"Authorization": "Basic QUMxOnRoZS10b2tlbg=="}
SID = "HX" + "0a" * 16
twilio = Twilio()


def asked(content: dict[str, Any], to: str = "+201000000001") -> dict[str, str]:
    """Without what every form has."""
    request = twilio.request(ACCOUNT, "15550001111", OutboundMessage(to, content, "o1.7.1"))
    told = dict(parse_qsl(request.body.decode()))
    return {key: value for key, value in told.items() if key not in {"From", "To", "StatusCallback"}}


@pytest.mark.parametrize("to", ["+201000000001", "201000000001"])
def test_a_send_says_where_its_statuses_go_and_they_bring_our_mark_back(to: str) -> None:
    content = {"type": "text", "text": {"body": "Zoë & co"}}
    request = twilio.request(ACCOUNT, "15550001111", OutboundMessage(to, content, "o1.7.1"))
    assert (request.method, request.url) == ("POST", "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json")
    assert request.headers == LOGIN | {"Content-Type": "application/x-www-form-urlencoded"}
    assert dict(parse_qsl(request.body.decode())) == {
        "From": "whatsapp:+15550001111",
        "To": "whatsapp:+201000000001",
        "Body": "Zoë & co",
        "StatusCallback": "https://us.example/webhooks/line?mark=o1.7.1",
    }
    assert "the-token" not in repr(request)


def sign(body: bytes) -> Call:
    """A request as Twilio's documentation says it is signed."""
    told = "".join(name + value for name, value in sorted(parse_qsl(body.decode(), keep_blank_values=True)))
    digest = hmac.digest(b"the-token", (ACCOUNT.webhook_url + told).encode(), "sha1")
    signature = {"X-Twilio-Signature": base64.b64encode(digest).decode()}
    return Call("POST", ACCOUNT.webhook_url, cases.headers(signature), body)


def test_a_form_of_more_fields_than_twilio_has_names_for_is_not_taken_apart_to_be_verified() -> None:
    """Anybody may send one, and two million fields take seconds."""
    most = b"&".join(b"Field%d=x" % place for place in range(1000))
    twilio.verify(ACCOUNT, sign(most))
    with pytest.raises(BadSignatureError):
        twilio.verify(ACCOUNT, sign(most + b"&One=more"))


def template(name: str, *parts: dict[str, Any]) -> dict[str, Any]:
    filled = {"components": list(parts)} if parts else {}
    return {"type": "template", "template": {"name": name, "language": {"code": "en"}, **filled}}


def body(*parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "body", "parameters": list(parameters)}


def text(value: str, **more: str) -> dict[str, str]:
    return {"type": "text", "text": value, **more}


@pytest.mark.parametrize(
    "content, expected",
    [
        (
            {"type": "image", "image": {"link": "https://x.example/a.jpg", "caption": "Look"}},
            {"MediaUrl": "https://x.example/a.jpg", "Body": "Look"},
        ),
        ({"type": "audio", "audio": {"link": "https://x.example/a.ogg"}}, {"MediaUrl": "https://x.example/a.ogg"}),
        (
            {
                "type": "location",
                "location": {"latitude": 30.04, "longitude": "31.23", "name": "Clinic", "address": "1"},
            },
            {"Body": "Clinic", "PersistentAction": "geo:30.04,31.23|1"},
        ),
        (
            {"type": "location", "location": {"latitude": 30.04, "longitude": 31.23}},
            {"Body": "Location", "PersistentAction": "geo:30.04,31.23"},
        ),
        (template(SID), {"ContentSid": SID}),
        (
            template(f"visit.{SID}", body(text("Ana"), text('the "Blue" room'))),
            {"ContentSid": SID, "ContentVariables": '{"1":"Ana","2":"the \\"Blue\\" room"}'},
        ),
        (
            template(f"a.b.{SID}", body(text("Ana", parameter_name="first"))),
            {"ContentSid": SID, "ContentVariables": '{"first":"Ana"}'},
        ),
    ],
)
def test_content_becomes_parameters(content: dict[str, Any], expected: dict[str, str]) -> None:
    assert asked(content) == expected


@pytest.mark.parametrize(
    "content, why",
    [
        ({"type": "interactive", "interactive": {"type": "button"}}, "Content Template Builder"),
        ({"type": "text", "text": {"body": "x" * 1601}}, "1,601 characters"),
        ({"type": "image", "image": {"id": "77"}}, "give a link"),
        (template("visit"), "ContentSid"),
        (template(SID, {"type": "header", "parameters": [text("June")]}), "in their body only"),
        (template(SID, body({"type": "currency", "currency": {}})), "as text"),
    ],
)
def test_what_cannot_be_carried_is_refused_with_a_remedy(content: dict[str, Any], why: str) -> None:
    with pytest.raises(UnsendableError, match=why):
        asked(content)


def test_nobody_is_reached_by_user_id() -> None:
    with pytest.raises(UnsendableError, match="phone number"):
        asked({"type": "text", "text": {"body": "hm"}}, "EG.7001")


@pytest.mark.parametrize(
    "status, answer, action",
    [
        (201, {"sid": "SM1", "status": "queued"}, Action.ACCEPTED),
        (201, {"status": "queued"}, Action.UNKNOWN),
        (201, [], Action.UNKNOWN),
        (400, {"code": 21211, "status": 400, "message": "+201000000001 is no number"}, Action.FAIL),
        (400, {"code": 21610}, Action.OPTED_OUT),
        (400, {"code": 63016}, Action.FAIL),
        (400, {"code": 63018}, Action.THROTTLE),
        (429, {"code": 20429}, Action.THROTTLE),
        (429, {"code": 99999}, Action.THROTTLE),
        (429, {}, Action.THROTTLE),
        (400, {"code": 63049}, Action.COOL_DOWN),
        (400, {"code": 63041}, Action.STOP_BROADCAST),
        (400, {"code": 21656}, Action.STOP_BROADCAST),
        (401, {"code": 20003}, Action.STOP_NUMBER),
        (404, {"code": 20404}, Action.STOP_NUMBER),
        (400, {"code": 21609}, Action.STOP_NUMBER),
        (400, {"code": 63010}, Action.UNKNOWN),
        (400, {"code": 99999}, Action.FAIL),
        (400, {"code": "21610"}, Action.UNKNOWN),
        (401, {}, Action.STOP_NUMBER),
        (302, {}, Action.STOP_NUMBER),
        (500, {"code": 20500}, Action.UNKNOWN),
        (500, {"code": 21610}, Action.UNKNOWN),
        (503, {}, Action.UNKNOWN),
    ],
)
def test_an_answer_means_one_thing(status: int, answer: Any, action: Action) -> None:
    outcome = twilio.outcome(status, orjson.dumps(answer))
    assert outcome.action is action
    assert outcome.provider_message_id == ("SM1" if action is Action.ACCEPTED else None)
    assert "+2010" not in (outcome.text or "")  # Twilio's words may repeat what was sent


def test_the_login_goes_with_a_file_s_address_and_not_with_where_it_redirects() -> None:
    assert twilio.media is not None
    url = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
    assert twilio.media.locate(ACCOUNT, "15550001111", MediaRef(None, url, None, None, None)) is None
    assert twilio.media.fetch(ACCOUNT, url).headers == LOGIN
    for foreign in ("https://store.example/ME1", "http://api.twilio.com/ME1", "https://api.twilio.com@x.example/"):
        assert twilio.media.fetch(ACCOUNT, foreign).headers == {}
    with pytest.raises(AnswerError):
        twilio.media.location(ACCOUNT, 200, b"{}")


def listed(**members: Any) -> dict[str, Any]:
    content = {"sid": SID, "friendly_name": "Visit reminder", "language": "en", "types": {}, **members}
    assert twilio.templates is not None
    page = twilio.templates.page(200, orjson.dumps({"contents": [content], "meta": {"next_page_url": None}}))
    assert page.after is None
    [found] = page.documents
    return found


APPROVED = {"name": "visit", "category": "UTILITY", "status": "approved", "rejection_reason": ""}


def test_a_template_is_listed_under_its_name_and_the_sid_it_is_sent_by() -> None:
    assert listed(approval_requests=APPROVED, types={"twilio/text": {"body": "Hello {{1}}"}}) == {
        "id": SID,
        "name": f"visit.{SID}",
        "language": "en",
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "components": [{"type": "BODY", "text": "Hello {{1}}"}],
    }


def test_one_that_was_never_handed_in_is_listed_as_that() -> None:
    document = listed(types={"twilio/text": {"body": "Hello {{first_name}}"}})
    assert document["name"] == f"Visit reminder.{SID}"
    assert (document["status"], document["parameter_format"]) == ("UNSUBMITTED", "NAMED")


def test_buttons_are_shown_and_variables_outside_the_body_make_it_unusable() -> None:
    actions = [
        {"type": "QUICK_REPLY", "title": "Yes", "id": "yes"},
        {"type": "URL", "title": "Map", "url": "https://x.example/m"},
        {"type": "PHONE_NUMBER", "title": "Call", "phone": "+20100"},
    ]
    document = listed(types={"twilio/card": {"title": "Hello {{1}}", "actions": actions}})
    assert document["components"] == [
        {"type": "BODY", "text": "Hello {{1}}"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Yes"},
                {"type": "URL", "text": "Map", "url": "https://x.example/m"},
                {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+20100"},
            ],
        },
    ]
    media = listed(types={"twilio/media": {"body": "Hello", "media": ["https://x.example/{{1}}"]}})
    kinds = [component["type"] for component in media["components"]]
    assert kinds == ["TWILIO/MEDIA", "BODY"]
    assert not set(kinds) <= components.KNOWN


def test_the_list_is_asked_page_by_page_at_the_content_api() -> None:
    assert twilio.templates is not None
    first = twilio.templates.request(ACCOUNT, None)
    assert (first.url, first.headers) == ("https://content.twilio.com/v1/ContentAndApprovals?PageSize=100", LOGIN)
    following = "https://elsewhere.example/v1/ContentAndApprovals?PageSize=100&Page=1&PageToken=PT1"
    page = twilio.templates.page(200, orjson.dumps({"contents": [], "meta": {"next_page_url": following}}))
    assert page.after == "PageSize=100&Page=1&PageToken=PT1"
    second = twilio.templates.request(ACCOUNT, page.after)
    assert second.url == "https://content.twilio.com/v1/ContentAndApprovals?PageSize=100&Page=1&PageToken=PT1"


@pytest.mark.parametrize(
    "status, answer, why",
    [
        (401, {"code": 20003}, "auth token is not valid"),
        (502, [], "HTTP 502"),
        (200, {}, "not a list of templates"),
        (200, {"contents": "all"}, "not a list of templates"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(status: int, answer: Any, why: str) -> None:
    assert twilio.templates is not None
    with pytest.raises(AnswerError, match=why):
        twilio.templates.page(status, orjson.dumps(answer))
