"""How Kaleyra's two APIs are asked, and what their answers mean for a message."""

from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest

from bot.providers.base import Account, Action, AnswerError, HttpRequest, OutboundMessage, UnsendableError
from bot.providers.events import MediaRef
from bot.providers.kaleyra_v1 import KaleyraV1
from bot.providers.kaleyra_v2 import KaleyraV2

ACCOUNT = Account(
    "https://api.in.kaleyra.example",
    "HXAP0001",
    {"api_key": "the-key", "webhook_secret": "planted/word"},
    webhook_url="https://us.example/webhooks/line",
)
v1, v2 = KaleyraV1(), KaleyraV2()


def asked_v1(content: dict[str, Any], to: str = "+201000000001") -> HttpRequest:
    return v1.request(ACCOUNT, "919900000001", OutboundMessage(to, content, "o1.7.1"))


def form(content: dict[str, Any]) -> dict[str, str]:
    """Without what every form of V1 has."""
    told = dict(parse_qsl(asked_v1(content).body.decode()))
    return {key: value for key, value in told.items() if key not in {"channel", "from", "to", "callback_url", "ref"}}


@pytest.mark.parametrize("to", ["+201000000001", "201000000001"])
def test_v1_is_sent_a_form_that_says_where_its_statuses_go(to: str) -> None:
    request = asked_v1({"type": "text", "text": {"body": "Zoë & co"}}, to)
    assert (request.method, request.url) == ("POST", "https://api.in.kaleyra.example/v1/HXAP0001/messages")
    assert request.headers == {"api-key": "the-key", "Content-Type": "application/x-www-form-urlencoded"}
    assert dict(parse_qsl(request.body.decode())) == {
        "channel": "whatsapp",
        "from": "+919900000001",
        "to": "+201000000001",
        "type": "text",
        "body": "Zoë & co",
        "callback_url": "https://us.example/webhooks/line/planted%2Fword",
        "ref": "o1.7.1",
    }


def template(*components: dict[str, Any]) -> dict[str, Any]:
    filled = {"components": list(components)} if components else {}
    return {"type": "template", "template": {"name": "visit", "language": {"code": "en"}, **filled}}


def text(value: str, **more: str) -> dict[str, str]:
    return {"type": "text", "text": value, **more}


BODY = {"type": "body", "parameters": [text("Ana"), text("Tue, 9:00")]}
PICTURE = {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://x.example/a.jpg"}}]}
VISIT = {"type": "template", "template_name": "visit", "lang_code": "en"}


@pytest.mark.parametrize(
    "content, expected",
    [
        (
            {"type": "text", "text": {"body": "https://x.example", "preview_url": True}},
            {"type": "text", "body": "https://x.example", "preview_url": "true"},
        ),
        (
            {"type": "image", "image": {"link": "https://x.example/a.jpg", "caption": "Look"}},
            {"type": "media", "media_url": "https://x.example/a.jpg", "caption": "Look"},
        ),
        (
            {"type": "audio", "audio": {"link": "https://x.example/a.ogg"}},
            {"type": "media", "media_url": "https://x.example/a.ogg"},
        ),
        (template(), VISIT),
        (template(BODY), VISIT | {"params": 'Ana,"Tue, 9:00"'}),
        (
            template(PICTURE, BODY),
            VISIT | {"type": "mediatemplate", "media_url": "https://x.example/a.jpg", "params": 'Ana,"Tue, 9:00"'},
        ),
        (
            template(
                {"type": "header", "parameters": [text("June")]},
                {"type": "button", "sub_type": "url", "index": "0", "parameters": [text("a/7")]},
            ),
            VISIT | {"param_header": "June", "param_url": "a/7"},
        ),
    ],
)
def test_content_becomes_the_members_of_v1_s_form(content: dict[str, Any], expected: dict[str, str]) -> None:
    assert form(content) == expected


def button(index: int, **parameter: str) -> dict[str, Any]:
    return {"type": "button", "sub_type": "url", "index": str(index), "parameters": [parameter]}


@pytest.mark.parametrize(
    "content, why",
    [
        ({"type": "interactive", "interactive": {"type": "button"}}, "not interactive"),
        ({"type": "image", "image": {"id": "77"}}, "give a link"),
        (template({"type": "header", "parameters": [{"type": "video", "video": {"id": "77"}}]}), "give a link"),
        (template({"type": "header", "parameters": [{"type": "location", "location": {}}]}), "template's header"),
        (template({"type": "body", "parameters": [text('the "Blue" room')]}), 'cannot carry a "'),
        (template({"type": "body", "parameters": [text("Ana", parameter_name="first")]}), "by position"),
        (template(button(0, **text("a")), button(1, **text("b"))), "one button"),
        (template(button(0, type="payload", payload="yes")), "template's button"),
    ],
)
def test_what_v1_cannot_carry_is_refused_with_a_remedy(content: dict[str, Any], why: str) -> None:
    with pytest.raises(UnsendableError, match=why):
        asked_v1(content)


def test_v1_reaches_nobody_by_user_id() -> None:
    with pytest.raises(UnsendableError, match="kaleyra-v2"):
        asked_v1({"type": "text", "text": {"body": "hm"}}, "EG.7001")


@pytest.mark.parametrize("to, member", [("+201000000001", "to"), ("EG.7001", "recipient")])
def test_v2_is_sent_the_cloud_api_s_body_with_our_mark_beside_it(to: str, member: str) -> None:
    content = {"type": "interactive", "interactive": {"type": "button"}}
    request = v2.request(ACCOUNT, "919900000001", OutboundMessage(to, content, "o1.7.1"))
    assert request.url == "https://api.in.kaleyra.example/v2/HXAP0001/whatsapp/+919900000001/messages"
    assert request.headers == {"api-key": "the-key", "Content-Type": "application/json"}
    assert orjson.loads(request.body) == {
        "messaging_object": {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            member: to,
            "type": "interactive",
            "interactive": {"type": "button"},
        },
        "extra_info": {"ref": "o1.7.1"},
    }


@pytest.mark.parametrize(
    "status, answer, action",
    [
        (200, {"id": "58f8-1:0"}, Action.ACCEPTED),
        (202, {"id": "58f8-1:0", "error": {}}, Action.ACCEPTED),
        (200, {"id": "batch", "data": [{"message_id": "58f8-1:0"}], "error": {"to": "no"}}, Action.FAIL),
        (200, {"messages": [{"id": "58f8-1"}]}, Action.ACCEPTED),
        (200, {"data": {"messages": [{"id": "58f8-1"}]}}, Action.ACCEPTED),
        (200, {"data": {"message_id": "58f8-1"}}, Action.ACCEPTED),
        (200, {}, Action.UNKNOWN),
        (200, {"id": ""}, Action.UNKNOWN),
        (200, {"error": {"to": "invalid number"}}, Action.FAIL),
        (200, {"error": {"code": 131026}}, Action.FAIL),
        (200, {"error": {"moon": "is full"}}, Action.FAIL),
        (400, {"error": {"to": "invalid number"}}, Action.FAIL),
        (400, {"error": {"media": "invalid media type"}}, Action.FAIL),
        (400, {"error": {"template_name": "unknown", "to": "invalid number"}}, Action.STOP_BROADCAST),
        (400, {"error": {"params": "missing"}}, Action.STOP_BROADCAST),
        (400, {"error": {"from": "not yours"}}, Action.STOP_NUMBER),
        (401, {"error": {"api-key": "invalid"}}, Action.STOP_NUMBER),
        (401, {}, Action.STOP_NUMBER),
        (404, {}, Action.STOP_NUMBER),
        (302, {}, Action.STOP_NUMBER),
        (400, {"error": {"moon": "is full"}}, Action.FAIL),
        (400, {}, Action.UNKNOWN),
        (429, {"error": {"to": "invalid number"}}, Action.THROTTLE),
        (400, {"error": {"code": 131050}}, Action.OPTED_OUT),
        (400, {"error": {"code": 130429}}, Action.THROTTLE),
        (500, {"error": {"to": "invalid number"}}, Action.UNKNOWN),
        (503, {}, Action.UNKNOWN),
    ],
)
def test_an_answer_means_one_thing(status: int, answer: dict[str, Any], action: Action) -> None:
    for provider in (v1, v2):
        outcome = provider.outcome(status, orjson.dumps(answer))
        assert outcome.action is action
        assert outcome.provider_message_id == ("58f8-1" if action is Action.ACCEPTED else None)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"id"'])
def test_a_success_that_cannot_be_read_may_have_been_sent(body: bytes) -> None:
    assert v1.outcome(200, body).action is Action.UNKNOWN


def test_a_file_is_fetched_by_its_link_without_the_key() -> None:
    assert v1.media is not None
    assert v1.media.locate(ACCOUNT, "919900000001", MediaRef("77", None, None, None, None)) is None
    request = v1.media.fetch(ACCOUNT, "https://files.example/a.jpg")
    assert (request.method, request.url, request.headers) == ("GET", "https://files.example/a.jpg", {})
    with pytest.raises(AnswerError):
        v1.media.location(ACCOUNT, 200, b"{}")
