"""How Turn.io is asked, and what its answers mean."""

from typing import Any

import orjson
import pytest

from bot.providers.base import Account, Action, OutboundMessage, UnsendableError
from bot.providers.events import MediaRef
from bot.providers.turn import Turn

ACCOUNT = Account("https://whatsapp.turn.example", "ns_turn", {"access_token": "the-token", "webhook_secret": "hook"})
BEARER = {"Authorization": "Bearer the-token"}
turn = Turn()


def asked(content: dict[str, Any], to: str = "+27820000021") -> Any:
    request = turn.request(ACCOUNT, "27600000000", OutboundMessage(to, content, "o1.7.1"))
    assert (request.method, request.url) == ("POST", "https://whatsapp.turn.example/v1/messages")
    assert request.headers == BEARER | {"Content-Type": "application/json"}
    body = orjson.loads(request.body)
    assert body.pop("recipient_type") == "individual"
    return body


@pytest.mark.parametrize(
    "to, member, written",
    [
        ("+27820000021", "to", "27820000021"),
        ("27820000021", "to", "27820000021"),
        ("ZA.90210", "recipient", "ZA.90210"),
    ],
)
def test_people_are_addressed_by_their_digits_or_as_recipient(to: str, member: str, written: str) -> None:
    body = asked({"type": "text", "text": {"body": "Zoë", "preview_url": True}}, to)
    assert body == {member: written, "type": "text", "preview_url": True, "text": {"body": "Zoë"}}


VISIT = {"name": "visit", "language": {"code": "en"}, "components": [{"type": "body", "parameters": []}]}
BUTTONS = {"type": "button", "header": {"type": "image", "image": {"link": "https://x.example/1.png"}}, "action": {}}


@pytest.mark.parametrize(
    "content, sent",
    [
        (
            {"type": "template", "template": VISIT},
            {
                "type": "template",
                "template": VISIT | {"namespace": "ns_turn", "language": {"policy": "deterministic", "code": "en"}},
            },
        ),
        (
            {"type": "image", "image": {"id": "i-1", "caption": "Look"}, "context": {"message_id": "ABEG01"}},
            {"type": "image", "image": {"id": "i-1", "caption": "Look"}, "context": {"message_id": "ABEG01"}},
        ),
        ({"type": "audio", "audio": {"id": "i-1", "voice": True}}, {"type": "audio", "audio": {"id": "i-1"}}),
        ({"type": "interactive", "interactive": BUTTONS}, {"type": "interactive", "interactive": BUTTONS}),
        ({"type": "text", "text": {"body": "hm"}}, {"type": "text", "preview_url": False, "text": {"body": "hm"}}),
    ],
)
def test_content_is_put_as_turn_wants_it(content: dict[str, Any], sent: dict[str, Any]) -> None:
    before = orjson.dumps(content)
    assert asked(content) == {"to": "27820000021"} | sent
    assert orjson.dumps(content) == before  # the row is asked for again at the next attempt


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_a_file_that_is_only_linked_cannot_be_sent(kind: str) -> None:
    with pytest.raises(UnsendableError, match="by the id it has at Turn"):
        asked({"type": kind, kind: {"link": "https://x.example/1"}})


def errors(code: object) -> bytes:
    return orjson.dumps({"errors": [{"code": code, "title": "no", "details": "+27820000021 said no"}]})


@pytest.mark.parametrize(
    "status, body, action",
    [
        (200, b'{"messages": [{"id": "gBEG01"}]}', Action.ACCEPTED),
        (201, b'{"messages": [{"id": "gBEG01"}], "meta": {}}', Action.ACCEPTED),
        (200, b'{"errors": []}', Action.UNKNOWN),
        (200, b"", Action.UNKNOWN),
        (400, errors(131047), Action.FAIL),
        (400, errors("131047"), Action.FAIL),
        (400, b'{"error": {"code": 131026}}', Action.FAIL),
        (400, b'{"errors": ["?", {"code": 131056}]}', Action.PAIR),
        (400, errors(131050), Action.OPTED_OUT),
        (404, errors(132001), Action.STOP_BROADCAST),
        (400, errors(470), Action.FAIL),
        (400, errors(2000), Action.STOP_BROADCAST),
        (429, errors(1015), Action.THROTTLE),
        (429, b'{"errors": [{"title": "rate limit"}]}', Action.THROTTLE),
        (429, b"", Action.THROTTLE),
        (401, errors(1005), Action.STOP_NUMBER),
        (401, errors(424242), Action.STOP_NUMBER),
        (401, b"", Action.STOP_NUMBER),
        (500, errors(1014), Action.UNKNOWN),
        (503, b"", Action.UNKNOWN),
        (400, b'{"errors": {"code": 470}}', Action.UNKNOWN),
    ],
)
def test_an_answer_means_one_thing(status: int, body: bytes, action: Action) -> None:
    outcome = turn.outcome(status, body)
    assert outcome.action is action
    assert (outcome.provider_message_id == "gBEG01") == (action is Action.ACCEPTED)
    assert "2782" not in (outcome.text or "")


def test_a_file_is_had_by_its_id_and_the_token_stays_at_turn() -> None:
    body = (
        b'{"messages": [{"from": "27820000021", "id": "A", "timestamp": "1", "type": "image", "image": {"id": "i/1"}}]}'
    )
    [event] = turn.parse(body)
    access, told = turn.media, getattr(event, "media", None)
    assert access
    assert isinstance(told, MediaRef)
    assert access.locate(ACCOUNT, "", told) is None
    assert told.url
    fetched = access.fetch(ACCOUNT, told.url)
    assert (fetched.url, fetched.headers) == ("https://whatsapp.turn.example/v1/media/i%2F1", BEARER)
    assert access.fetch(ACCOUNT, "https://whatsapp.turn.example/v1/media/x").headers == {}
