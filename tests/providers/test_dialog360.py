"""How 360dialog is asked, and what its answers mean."""

import orjson
import pytest

from bot.providers.base import Account, Action, OutboundMessage
from bot.providers.dialog360 import Dialog360
from bot.providers.events import MediaRef

ACCOUNT = Account("https://waba.example", "1022", {"api_key": "the-key", "webhook_secret": "planted"})
KEY = {"D360-API-KEY": "the-key"}
dialog360 = Dialog360()


@pytest.mark.parametrize("to, member", [("+201000000001", "to"), ("EG.7001", "recipient"), ("US.ENT.50", "recipient")])
def test_a_message_is_meta_s_without_the_number_in_the_address(to: str, member: str) -> None:
    content = {"type": "text", "text": {"body": "Zoë", "preview_url": False}}
    request = dialog360.request(ACCOUNT, "600360", OutboundMessage(to, content, "o1.7.1"))
    assert (request.method, request.url) == ("POST", "https://waba.example/messages")
    assert request.headers == KEY | {"Content-Type": "application/json"}
    assert orjson.loads(request.body) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        member: to,
        **content,
        "biz_opaque_callback_data": "o1.7.1",
    }


def test_that_a_message_was_read_is_told_at_the_same_door() -> None:
    request = dialog360.receipts.read(ACCOUNT, "600360", "wamid.7", is_typing=True) if dialog360.receipts else None
    assert request is not None
    assert (request.method, request.url) == ("POST", "https://waba.example/messages")
    assert request.headers == KEY | {"Content-Type": "application/json"}
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.7"}
    assert orjson.loads(request.body) == read | {"typing_indicator": {"type": "text"}}


def error(code: object, text: str = "(#1) no") -> bytes:
    return orjson.dumps({"error": {"message": text, "code": code}})


ACCEPTED = orjson.dumps({"messages": [{"id": "wamid.1"}]})


@pytest.mark.parametrize(
    "status, body, action",
    [
        (200, ACCEPTED, Action.ACCEPTED),
        (200, b"{}", Action.UNKNOWN),
        (401, b'{"meta": {"developer_message": "Invalid api key"}}', Action.STOP_NUMBER),
        (401, b"", Action.STOP_NUMBER),
        (401, error("bad key"), Action.STOP_NUMBER),
        (403, b"blocked", Action.STOP_NUMBER),
        (400, b'{"meta": {"developer_message": "Exceeded endpoint rate limit"}}', Action.THROTTLE),
        (400, b'{"error": {"message": "exceeded endpoint rate limit"}}', Action.THROTTLE),
        (400, b"The invoice is unpaid", Action.STOP_NUMBER),
        (400, b"Payment is overdue", Action.STOP_NUMBER),
        (400, b"hm", Action.UNKNOWN),
        (429, b"", Action.THROTTLE),
        (502, b"<html>Bad Gateway</html>", Action.UNKNOWN),
        (400, error(131026), Action.FAIL),
        (400, error(131026, "unpaid"), Action.FAIL),
        (403, error(131031), Action.STOP_NUMBER),
        (400, error(132001), Action.STOP_BROADCAST),
        (401, error(424242), Action.STOP_NUMBER),
    ],
)
def test_an_answer_means_one_thing(status: int, body: bytes, action: Action) -> None:
    outcome = dialog360.outcome(status, body)
    assert outcome.action is action
    assert (outcome.provider_message_id == "wamid.1") == (action is Action.ACCEPTED)


def test_templates_are_listed_with_the_key_and_without_the_account() -> None:
    assert dialog360.templates
    request = dialog360.templates.request(ACCOUNT, "QVFI")
    assert request.url.startswith("https://waba.example/message_templates?")
    assert "after=QVFI" in request.url
    assert request.headers == KEY
    page = dialog360.templates.page(200, b'{"data": [{"name": "visit", "language": "en"}]}')
    assert [each["name"] for each in page.documents] == ["visit"]
    assert page.after is None


def media(id_: str | None, url: str | None) -> MediaRef:
    return MediaRef(id_, url, "image/jpeg", None, None)


def test_a_file_is_asked_for_by_id_and_had_through_360dialog() -> None:
    access = dialog360.media
    assert access
    asked = access.locate(ACCOUNT, "600360", media("55501", "https://lookaside.fbsbx.com/old"))
    assert asked
    assert (asked.url, asked.headers) == ("https://waba.example/55501", KEY)
    place = access.location(
        ACCOUNT, 200, rb'{"url": "https:\/\/lookaside.fbsbx.com\/wa\/?mid=5&ext=9", "file_size": 7}'
    )
    fetched = access.fetch(ACCOUNT, place.url)
    assert (fetched.url, fetched.headers) == ("https://waba.example/wa/?mid=5&ext=9", KEY)
    assert access.locate(ACCOUNT, "600360", media(None, "https://lookaside.fbsbx.com/wa/")) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example/a.jpg",
        "http://waba.example/a.jpg",
        "https://waba.example.evil.example/a",
        "https://waba.example@evil.example/a",
        "https://lookaside.fbsbx.com.evil.example/a",
        "http://lookaside.fbsbx.com/a",
        "https://lookaside.fbsbx.com:444/a",
        "https://[",
    ],
)
def test_the_key_goes_to_nobody_else(url: str) -> None:
    assert dialog360.media
    request = dialog360.media.fetch(ACCOUNT, url)
    assert (request.url, request.headers) == (url, {})
