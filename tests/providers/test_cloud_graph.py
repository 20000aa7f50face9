"""How the Graph API is asked for templates and files, and how its answers are read."""

import contextlib
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.providers.base import Account, AnswerError, MediaLocation
from bot.providers.cloud import Cloud
from bot.providers.cloud_graph import GraphMedia, GraphTemplates, origin_of
from bot.providers.events import MediaRef

ACCOUNT = Account("https://graph.example/v25.0", "1022", {"access_token": "the-token"})
BEARER = {"Authorization": "Bearer the-token"}
templates, media = GraphTemplates(), GraphMedia()


def file(id_: str | None = "900", url: str | None = None) -> MediaRef:
    return MediaRef(id_, url, "image/jpeg", None, None)


def refused(code: object = 190) -> bytes:
    return orjson.dumps({"error": {"message": "(#1) the-token of +201000000001", "code": code}})


def test_the_cloud_api_lists_templates_and_hands_out_files() -> None:
    assert isinstance(Cloud().templates, GraphTemplates)
    assert isinstance(Cloud().media, GraphMedia)


def test_templates_are_asked_for_page_by_page() -> None:
    first = templates.request(ACCOUNT, None)
    asked = parse_qs(urlsplit(first.url).query)
    assert (first.method, first.headers, first.body) == ("GET", BEARER, b"")
    assert first.url.startswith("https://graph.example/v25.0/1022/message_templates?")
    assert {"name", "language", "components", "quality_score"} <= set(asked["fields"][0].split(","))
    assert "after" not in asked
    second = templates.request(ACCOUNT, "QVFI=&fields=x")
    assert parse_qs(urlsplit(second.url).query)["after"] == ["QVFI=&fields=x"]


@pytest.mark.parametrize(
    "paging, after",
    [
        (None, None),
        ({}, None),
        ({"cursors": {"before": "a", "after": "b"}}, None),
        ({"cursors": {"before": "a", "after": "b"}, "next": "https://graph.example/?after=b"}, "b"),
        ({"next": "https://graph.example/1022/message_templates?limit=1&after=b"}, "b"),
    ],
)
def test_a_page_says_where_the_next_begins_if_there_is_one(paging: object, after: str | None) -> None:
    document = {"name": "hello", "language": "en_US", "quality_score": {"score": "GREEN"}}
    page = templates.page(200, orjson.dumps({"data": [document], "paging": paging}))
    assert page.documents == (document,)
    assert page.after == after


@pytest.mark.parametrize(
    "status, body, said",
    [
        (401, refused(), "error 190: the access token is not valid"),
        (400, refused(424242), "error 424242."),
        (404, b"<html>", "HTTP 404"),
        (502, b"", "HTTP 502"),
        (400, refused("190"), "HTTP 400"),
        (200, b"<html>", "not a JSON object"),
        (200, b"[]", "not a JSON object"),
        (200, b'{"data": {}}', "not a list of templates"),
        (200, b'{"data": ["x"]}', "not a list of templates"),
        (200, b'{"data": [], "paging": {"next": "https://graph.example/"}}', "more templates"),
        (200, b'{"data": [], "paging": {"next": 5}}', "more templates"),
    ],
)
def test_an_answer_that_is_no_page_is_refused_in_our_own_words(status: int, body: bytes, said: str) -> None:
    with pytest.raises(AnswerError, match=said) as refusal:
        templates.page(status, body)
    assert "the-token" not in str(refusal.value)
    assert "+2010" not in str(refusal.value)


def test_a_file_is_located_by_its_id_even_when_a_url_came_along() -> None:
    for ref in (file(), file(url="https://lookaside.fbsbx.com/old")):
        request = media.locate(ACCOUNT, "600100", ref)
        assert request is not None
        assert (request.method, request.url, request.headers) == ("GET", "https://graph.example/v25.0/900", BEARER)


@pytest.mark.parametrize("id_", [None, "..", "a/b", "9?x=1", "é", ""])
def test_a_file_whose_id_is_none_is_not_asked_for(id_: str | None) -> None:
    assert media.locate(ACCOUNT, "600100", file(id_, "https://lookaside.fbsbx.com/x")) is None


def test_a_location_is_read() -> None:
    told = {"url": "https://lookaside.fbsbx.com/x?mid=9", "mime_type": "image/jpeg", "sha256": "aa", "file_size": 12}
    expected = MediaLocation("https://lookaside.fbsbx.com/x?mid=9", "image/jpeg", "aa", 12)
    assert media.location(ACCOUNT, 200, orjson.dumps(told)) == expected
    assert media.location(ACCOUNT, 200, orjson.dumps(told | {"file_size": "12"})) == expected
    assert media.location(ACCOUNT, 200, orjson.dumps({"url": told["url"], "file_size": -1})).size is None


@pytest.mark.parametrize(
    "status, body",
    [(200, b"{}"), (200, b'{"id": "900"}'), (200, b'{"url": "file:///etc/passwd"}'), (200, b'{"url": 5}'), (400, b"")],
)
def test_an_answer_without_a_place_is_refused(status: int, body: bytes) -> None:
    with pytest.raises(AnswerError):
        media.location(ACCOUNT, status, body)


@pytest.mark.parametrize(
    "url, is_own",
    [
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", True),
        ("HTTPS://LookAside.fbsbx.com/x", True),
        ("https://graph.example/v25.0/900", True),
        ("http://lookaside.fbsbx.com/x", False),
        ("https://lookaside.fbsbx.com:8443/x", False),
        ("https://lookaside.fbsbx.com.evil.example/x", False),
        ("https://evil.example/lookaside.fbsbx.com", False),
        ("https://lookaside.fbsbx.com@evil.example/x", False),
        (r"https://evil.example\@lookaside.fbsbx.com/x", False),
        ("https://scontent.xx.fbcdn.net/x", False),
        ("https://graph.example.evil.example/x", False),
        ("http://graph.example/x", False),
        ("//lookaside.fbsbx.com/x", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_the_token_goes_only_to_the_provider_s_own_hosts(url: str, is_own: bool) -> None:
    request = media.fetch(ACCOUNT, url)
    assert (request.method, request.url, request.headers) == ("GET", url, BEARER if is_own else {})


class HandedThrough(GraphMedia):
    """A provider that hands the Graph API through under its own host and key."""

    def headers(self, account: Account) -> dict[str, str]:
        return {"X-Key": account.secrets["api_key"]}

    def own_origins(self, account: Account) -> frozenset[str]:
        return frozenset({origin_of(account.base_url)})


def test_a_provider_that_hands_the_graph_through_keeps_its_own_secret_to_itself() -> None:
    account = Account("https://waba.example", "1022", {"api_key": "k"})
    assert HandedThrough().fetch(account, "https://waba.example/x").headers == {"X-Key": "k"}
    assert HandedThrough().fetch(account, "https://lookaside.fbsbx.com/x").headers == {}


@settings(max_examples=200, deadline=None)
@given(st.integers(100, 599), st.binary(max_size=60) | st.sampled_from([b"{}", b'{"data": [{}]}', b'{"error": {}}']))
def test_no_answer_breaks_more_than_itself(status: int, body: bytes) -> None:
    for read in (templates.page, lambda status, body: media.location(ACCOUNT, status, body)):
        with contextlib.suppress(AnswerError):
            read(status, body)
