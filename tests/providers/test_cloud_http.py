"""How the Cloud API is asked, and what its answers mean for a message."""

import hashlib
import hmac

import orjson
import pytest

from bot.providers import cloud_codes
from bot.providers.base import Account, Action, BadSignatureError, Call, OutboundMessage
from bot.providers.cloud import Cloud

ACCOUNT = Account(
    "https://graph.example/v25.0",
    "1022",
    {"access_token": "the-token", "app_secret": "the-secret", "verify_token": "the-word"},
)
cloud = Cloud()


@pytest.mark.parametrize(
    "to, member",
    [
        ("+201000000001", "to"),
        ("201000000001", "to"),
        ("US.13491208655302741918", "recipient"),
        ("US.ENT.506847293015824", "recipient"),
        ("us.1349", "to"),
    ],
)
def test_a_user_id_is_addressed_as_recipient_and_a_phone_as_to(to: str, member: str) -> None:
    content = {"type": "text", "text": {"body": "Zoë", "preview_url": False}}
    request = cloud.request(ACCOUNT, "106540", OutboundMessage(to, content, "o1.7.1"))
    assert (request.method, request.url) == ("POST", "https://graph.example/v25.0/106540/messages")
    assert request.headers == {"Authorization": "Bearer the-token", "Content-Type": "application/json"}
    assert orjson.loads(request.body) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        member: to,
        "type": "text",
        "text": {"body": "Zoë", "preview_url": False},
        "biz_opaque_callback_data": "o1.7.1",
    }


def test_neither_token_nor_text_shows_when_a_request_is_printed() -> None:
    request = cloud.request(ACCOUNT, "106540", OutboundMessage("+20100", {"type": "text", "text": {"body": "hm"}}, "o"))
    assert "the-token" not in repr(request) + repr(ACCOUNT)
    assert "hm" not in repr(request)


def test_a_signature_is_checked_against_the_raw_bytes() -> None:
    body = rb'{"text": "\u00e9"}'
    digest = hmac.new(b"the-secret", body, hashlib.sha256).hexdigest()
    cloud.verify(ACCOUNT, called(digest, body))
    with pytest.raises(BadSignatureError):
        cloud.verify(ACCOUNT, called(digest, body + b"\n"))


def called(digest: str, body: bytes) -> Call:
    return Call("POST", "https://us.example/webhooks/line", {"X-Hub-Signature-256": f"sha256={digest}"}, body)


def error(code: object, **members: object) -> bytes:
    return orjson.dumps({"error": {"message": "(#1) +201000000001 said no", "code": code, **members}})


@pytest.mark.parametrize("token, answer", [("new", "123"), ("old", "123"), ("other", None), ("", None)])
def test_while_the_verify_token_is_replaced_a_handshake_may_bring_either(token: str, answer: str | None) -> None:
    account = Account("https://graph.example", "1", {"verify_token": "new"}, {"verify_token": "old"})
    query = {"hub.mode": "subscribe", "hub.challenge": "123", "hub.verify_token": token}
    assert cloud.challenge(account, query) == answer


ACCEPTED = orjson.dumps({"messages": [{"id": "wamid.1", "message_status": "held_for_quality_assessment"}]})


@pytest.mark.parametrize(
    "status, body, action",
    [
        (200, ACCEPTED, Action.ACCEPTED),
        (201, ACCEPTED, Action.ACCEPTED),
        (200, b"", Action.UNKNOWN),
        (200, b"<html>", Action.UNKNOWN),
        (200, ACCEPTED[:-5], Action.UNKNOWN),
        (200, b'{"messages": []}', Action.UNKNOWN),
        (200, b'{"messages": [{"id": ""}]}', Action.UNKNOWN),
        (200, b"[]", Action.UNKNOWN),
        (400, error(130429), Action.THROTTLE),
        (429, error(130429), Action.THROTTLE),
        (400, error(80007), Action.THROTTLE),
        (400, error(4), Action.THROTTLE),
        (429, b"slow down", Action.THROTTLE),
        (429, error(424242), Action.THROTTLE),
        (400, error(131056), Action.PAIR),
        (429, error(131056), Action.PAIR),
        (400, error(131026), Action.FAIL),
        (400, error(131047), Action.FAIL),
        (400, error(131051), Action.FAIL),
        (400, error(100), Action.FAIL),
        (400, error(424242), Action.FAIL),
        (400, error(131050), Action.OPTED_OUT),
        (400, error(131049), Action.COOL_DOWN),
        (400, error(132000), Action.STOP_BROADCAST),
        (404, error(132001), Action.STOP_BROADCAST),
        (400, error(132015), Action.STOP_BROADCAST),
        (401, error(190), Action.STOP_NUMBER),
        (400, error(10), Action.STOP_NUMBER),
        (403, error(200), Action.STOP_NUMBER),
        (403, error(299), Action.STOP_NUMBER),
        (403, error(131031), Action.STOP_NUMBER),
        (400, error(131042), Action.STOP_NUMBER),
        (400, error(368), Action.STOP_NUMBER),
        (400, error(131048), Action.STOP_NUMBER),
        (400, error(131016), Action.RETRY),
        (500, error(131016), Action.RETRY),
        (503, error(133004), Action.RETRY),
        (400, error(131057), Action.RETRY),
        (500, error(131000), Action.UNKNOWN),
        (400, error(131000), Action.UNKNOWN),
        (500, error(1), Action.UNKNOWN),
        (500, error(190), Action.UNKNOWN),
        (502, b"<html>Bad Gateway</html>", Action.UNKNOWN),
        (504, b"", Action.UNKNOWN),
        (401, b"", Action.STOP_NUMBER),
        (404, b"<html>", Action.STOP_NUMBER),
        (302, b"", Action.STOP_NUMBER),
        (400, b"who are you", Action.UNKNOWN),
        (408, b"", Action.UNKNOWN),
        (400, error("190"), Action.UNKNOWN),
    ],
)
def test_an_answer_means_one_thing(status: int, body: bytes, action: Action) -> None:
    outcome = cloud.outcome(status, body)
    assert outcome.action is action
    assert (outcome.provider_message_id is not None) == (action is Action.ACCEPTED)
    assert "+2010" not in (outcome.text or "")  # the provider's words may repeat what was sent


def test_every_action_of_the_table_is_reached_by_exactly_one_list() -> None:
    codes = [code for listed in cloud_codes._BY_ACTION.values() for code in listed]
    assert len(codes) == len(set(codes))
    assert set(cloud_codes.MEANINGS) <= set(codes)
