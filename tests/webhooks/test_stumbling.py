"""Our own mistakes cost a body its place at most: whatever came after it is applied all the same."""

from collections.abc import Mapping

import orjson
import pytest

from bot.providers.base import NO_HEADERS
from bot.providers.cloud import Cloud
from bot.providers.events import Event
from bot.providers.registry import PROVIDERS
from tests.webhooks.conftest import Line, contact, envelope, quarantine, text_message
from tests.webhooks.desk import open_items, sit_down
from webhooks import kinds


class Stumbling(Cloud):
    """An adapter that breaks its promise never to raise."""

    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:
        if b"riddle" in body:
            raise LookupError("riddle")
        return super().parse(body, headers)


def post(line: Line, body: str) -> None:
    assert line.post(orjson.dumps(envelope(messages=[text_message(body)], contacts=[contact()]))).status_code == 200


def test_a_body_that_its_parser_raises_on_goes_aside_and_comes_out_with_a_better_version(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(PROVIDERS, "cloud", Stumbling())
        for body in ("before", "riddle", "after"):
            post(line, body)
        line.apply()
        assert line.rows("SELECT body FROM message ORDER BY id") == [("before",), ("after",)]
        assert quarantine(line) == [("", "this version cannot read it: LookupError")]
        [(id_, _)] = open_items(line)
        sit_down(line).post(f"/quarantine/{id_}/replay")
        assert quarantine(line) == [("", "this version cannot read it: LookupError")]
    sit_down(line).post(f"/quarantine/{id_}/replay")
    assert open_items(line) == []
    assert line.ask("SELECT count(*) FROM message WHERE body = 'riddle'") == 1


def test_a_body_whose_books_cannot_be_kept_goes_aside_as_a_whole(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    summarise = kinds.summarise

    def stumble(items: object) -> kinds.Summary:
        listed = list(items)  # type: ignore[call-overload]
        if any(getattr(event, "body", None) == "riddle" for _, _, event in listed):
            raise LookupError
        return summarise(listed)

    monkeypatch.setattr(kinds, "summarise", stumble)
    for body in ("before", "riddle", "after"):
        post(line, body)
    line.apply()
    assert line.rows("SELECT body FROM message ORDER BY id") == [("before",), ("after",)]
    assert quarantine(line) == [("", "LookupError")]
