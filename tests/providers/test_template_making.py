"""How a provider is asked to take a template, and what its refusals say to whoever typed it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from bot.providers.base import Account, Sample, TemplateMaker, TemplateReceipt, TemplateRefusedError
from bot.providers.registry import PROVIDERS

CLOUD = Account("https://graph.example/v25.0", "1022", {"access_token": "the-token"})
D360 = Account("https://waba.example", "1022", {"api_key": "the-key", "webhook_secret": "planted"})
DOCUMENT: dict[str, Any] = {"name": "hello", "language": "en", "category": "UTILITY", "components": []}
PNG = Sample("a b.png", "image/png", b"\x89PNG")


def maker(provider: str) -> TemplateMaker:
    templates = PROVIDERS[provider].templates
    assert templates is not None
    assert templates.maker is not None
    return templates.maker


def refused(code: int, **more: object) -> bytes:
    return orjson.dumps({"error": {"message": "(#100) Invalid parameter", "code": code, **more}})


def test_a_template_is_created_edited_and_deleted_where_the_account_is() -> None:
    cloud = maker("cloud")
    made = cloud.create(CLOUD, DOCUMENT)
    assert (made.method, made.url) == ("POST", "https://graph.example/v25.0/1022/message_templates")
    assert orjson.loads(made.body) == DOCUMENT
    changed = cloud.edit(CLOUD, "77", DOCUMENT)
    assert changed.url == "https://graph.example/v25.0/77"
    assert orjson.loads(changed.body) == {"category": "UTILITY", "components": []}
    gone = cloud.delete(CLOUD, "hello", "77")
    assert (gone.method, parse_qs(urlsplit(gone.url).query)) == ("DELETE", {"name": ["hello"], "hsm_id": ["77"]})
    assert {each.headers["Authorization"] for each in (made, changed, gone)} == {"Bearer the-token"}


def test_360dialog_has_its_own_door_and_no_edits() -> None:
    dialog = maker("360dialog")
    made = dialog.create(D360, DOCUMENT)
    assert (made.url, made.headers["D360-API-KEY"]) == ("https://waba.example/message_templates", "the-key")
    assert (dialog.edits, dialog.samples_by_link) == (False, True)


@pytest.mark.parametrize("provider", ["turn", "twilio", "onpremise", "kaleyra-v1", "kaleyra-v2"])
def test_elsewhere_templates_are_made_at_the_provider(provider: str) -> None:
    templates = PROVIDERS[provider].templates
    assert templates is None or templates.maker is None


def test_a_sample_is_announced_with_its_size_and_then_sent() -> None:
    cloud = maker("cloud")
    opened = cloud.open_sample(CLOUD, PNG)
    assert opened.url.startswith("https://graph.example/v25.0/app/uploads?")
    told = parse_qs(urlsplit(opened.url).query)
    assert told == {"file_name": ["a b.png"], "file_length": ["4"], "file_type": ["image/png"]}
    sent = cloud.send_sample(CLOUD, (200, b'{"id": "upload:abc=="}'), PNG)
    assert (sent.url, sent.body) == ("https://graph.example/v25.0/upload:abc==", b"\x89PNG")
    assert (sent.headers["Authorization"], sent.headers["file_offset"]) == ("OAuth the-token", "0")
    assert cloud.handle(200, b'{"h": "4::xyz"}') == "4::xyz"


@pytest.mark.parametrize("answer", [(200, b'{"id": "https://evil.example"}'), (200, b"{}"), (400, refused(100))])
def test_a_session_that_is_none_gets_no_file(answer: tuple[int, bytes]) -> None:
    with pytest.raises(TemplateRefusedError):
        maker("cloud").send_sample(CLOUD, answer, PNG)


def test_an_answer_tells_what_it_tells() -> None:
    cloud = maker("cloud")
    taken = cloud.receipt(200, b'{"id": "7", "status": "pending", "category": "MARKETING"}')
    assert taken == TemplateReceipt("7", "PENDING", "MARKETING")
    assert cloud.receipt(200, b'{"success": true}') == TemplateReceipt(None, None, None)


@pytest.mark.parametrize(
    "status, body, place, words",
    [
        (400, refused(100, error_subcode=2388299), "body", "begins or ends with a variable"),
        (400, refused(100, error_subcode=2388047, error_user_msg="no emojis here"), "header", "No emojis here."),
        (400, refused(100, error_subcode=2388019), None, "delete some that nobody uses"),
        (400, refused(100, error_subcode=9999999, error_user_msg="something new"), None, "Something new."),
        (400, refused(80008), None, "try again later"),
        (401, refused(190), None, "190"),
        (502, b"<html>", None, "HTTP 502 without a reason"),
        (200, b"not json", None, "HTTP 200 without a reason"),
        (200, b"[]", None, "HTTP 200 without a reason"),
    ],
)
def test_a_refusal_says_where_and_what_to_do(status: int, body: bytes, place: str | None, words: str) -> None:
    with pytest.raises(TemplateRefusedError, match=words) as told:
        maker("cloud").receipt(status, body)
    assert (told.value.place, told.value.is_there) == (place, False)
    assert "the-token" not in str(told.value)


def test_that_one_is_there_already_is_told_apart() -> None:
    with pytest.raises(TemplateRefusedError, match="is there already") as told:
        maker("cloud").receipt(400, refused(100, error_subcode=2388024))
    assert (told.value.place, told.value.is_there) == ("name", True)
