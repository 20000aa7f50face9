"""A provider's list of templates is fetched whole or not at all, within bounds, and its secret goes nowhere else."""

import asyncio
import json
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.connections import listing
from bot.connections.listing import Document, ListingError, Order
from bot.providers.base import Account
from bot.providers.registry import PROVIDERS
from tests.harness.answering import Answer, Answering, answering

SECRETS = {"access_token": "the-token", "api_key": "the-key", "auth_token": "the-token"}


def told(content: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()


def fetch(url: str, kind: str = "cloud", total_s: float = 20.0) -> list[Document]:
    access = PROVIDERS[kind].templates
    assert access is not None
    return asyncio.run(listing.fetch(Order("main", access, Account(url, "1001", SECRETS), total_s=total_s)))


def refusal(answer: Answering, total_s: float = 20.0) -> str:
    with answering(answer) as url, pytest.raises(ListingError) as raised:
        fetch(url, total_s=total_s)
    said = str(raised.value)
    assert said.startswith("The templates of the connection main were not fetched: ")
    assert "the-token" not in said
    return said


def paged(path: str, pages: int, *, host: str = "") -> Answer:
    """Page by page as the Graph API does, three templates each."""
    asked = parse_qs(urlsplit(path).query)
    number = int(asked.get("after", ["0"])[0])
    paging: dict[str, Any] = {"cursors": {"after": str(number + 1)}}
    if number + 1 < pages:
        paging["next"] = f"{host}{path}&after={number + 1}"
    return told({"data": [{"name": f"t{number}_{n}", "language": "en"} for n in range(3)], "paging": paging})


@pytest.mark.parametrize(
    "kind, header, path",
    [
        ("cloud", ("Authorization", "Bearer the-token"), "/1001/message_templates"),
        ("360dialog", ("D360-API-KEY", "the-key"), "/message_templates"),
    ],
)
def test_every_page_is_fetched_with_the_provider_s_own_key(kind: str, header: tuple[str, str], path: str) -> None:
    seen = []

    def answer(asked: str, headers: dict[str, str]) -> Answer:
        seen.append((urlsplit(asked).path, headers.get(header[0])))
        return paged(asked, 4)

    with answering(answer) as url:
        names = [each["name"] for each in fetch(url, kind)]

    assert names == [f"t{page}_{n}" for page in range(4) for n in range(3)]
    assert seen == [(path, header[1])] * 4


def test_twilio_s_contents_come_page_by_page_too() -> None:
    def answer(asked: str, _: dict[str, str]) -> Answer:
        page = int(parse_qs(urlsplit(asked).query).get("Page", ["0"])[0])
        content = {
            "sid": f"HX{page:032x}",
            "friendly_name": "hello",
            "language": "en",
            "types": {"twilio/text": {"body": "Hello {{1}}"}},
            "approval_requests": {"name": "hello", "category": "UTILITY", "status": "approved"},
        }
        following = f"https://content.twilio.com/v1/ContentAndApprovals?PageSize=100&Page={page + 1}"
        return told({"contents": [content], "meta": {"next_page_url": following if page < 2 else None}})

    with answering(answer) as url:
        documents = fetch(url, "twilio")

    assert [each["name"] for each in documents] == [f"hello.HX{page:032x}" for page in range(3)]
    assert {each["status"] for each in documents} == {"APPROVED"}


def test_an_address_elsewhere_that_a_page_names_is_not_called() -> None:
    with answering(lambda path, _: paged(path, 2, host="http://192.0.2.1")) as url:
        assert len(fetch(url)) == 6


def test_a_redirect_is_not_followed() -> None:
    seen = []

    def answer(path: str, _: dict[str, str]) -> Answer:
        seen.append(path)
        return 302, {"Location": "/elsewhere"}, b""

    assert "HTTP 302 without a reason: check the connection's base URL" in refusal(answer)
    assert len(seen) == 1


@pytest.mark.parametrize(
    "answer, said",
    [
        (told({"error": {"code": 190, "message": "the-token"}}, 401), "error 190: the access token is not valid."),
        (told({"error": {"code": 100}}, 400), "error 100: a parameter is wrong or missing."),
        ((502, {}, b"<html>"), "HTTP 502 without a reason"),
        ((200, {}, b"<html>"), "not a JSON object: check the connection's base URL"),
        (told([1, 2]), "not a JSON object"),
        (told({"data": {"name": "x"}}), "not a list of templates"),
        (told({"data": ["x"]}), "not a list of templates"),
        (told({"data": [], "paging": {"next": 1}}), "more templates, but not where"),
        ((200, {"Content-Encoding": "gzip"}, b"not packed"), "cannot be reached"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason_and_the_remedy(answer: Answer, said: str) -> None:
    sentence = refusal(lambda *_: answer)
    assert said in sentence
    assert sentence.endswith("fetch again.")


def test_a_list_that_breaks_off_in_the_middle_is_no_list() -> None:
    def answer(path: str, _: dict[str, str]) -> Answer:
        return told({"error": {"code": 4}}, 429) if "after=2" in path else paged(path, 9)

    assert "the app makes too many calls" in refusal(answer)


def test_pages_that_go_round_in_a_circle_end() -> None:
    body = {"data": [], "paging": {"cursors": {"after": "same"}, "next": "https://x.example"}}
    assert "go round in a circle" in refusal(lambda *_: told(body))


def test_a_list_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGES", 5)
    assert "more than 5 pages" in refusal(lambda path, _: paged(path, 10**6))


def test_a_page_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE_BYTES", 1024**2)
    assert "larger than 1 MiB" in refusal(lambda *_: (200, {}, b"[" * (2 * 1024**2)))


def test_a_provider_that_never_answers_is_not_waited_for() -> None:
    ended = threading.Event()

    def answer(_: str, __: dict[str, str]) -> Answer:
        ended.wait(30)
        return told({})

    began = time.monotonic()
    try:
        assert "longer than 0.5 seconds. Fetch again later." in refusal(answer, total_s=0.5)
    finally:
        ended.set()
    assert time.monotonic() - began < 25


def test_a_provider_that_is_not_there_is_told_as_such() -> None:
    with pytest.raises(ListingError, match=r"cannot be reached \(ClientConnectorError\). Check the base URL"):
        fetch("http://127.0.0.1:9")


@pytest.mark.parametrize(
    "document, quality, reason",
    [
        ({"quality_score": {"score": "green", "date": 1}, "rejected_reason": "NONE"}, "GREEN", None),
        (
            {"quality_score": {"score": 5}, "rejected_reason": "PROMOTIONAL"},
            None,
            "marketing, but not in that category",
        ),
        ({"quality_score": "GREEN", "rejected_reason": "NEW_RULE"}, None, "The provider says: NEW_RULE."),
        ({"rejected_reason": {"why": 1}}, None, None),
        ({}, None, None),
    ],
)
def test_quality_and_reason_are_read_where_they_are_told(document: Document, quality: str, reason: str | None) -> None:
    assert listing.quality_of(document) == quality
    found = listing.reason_of(document)
    assert found is None if reason is None else reason in (found or "")
