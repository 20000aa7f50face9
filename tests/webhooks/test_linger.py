"""The intake pump stays a moment for what a busy provider sends next."""

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from bot import ending, runtime
from tests.harness.children import wait_until
from tests.webhooks.conftest import Line, contact, envelope, text_message
from webhooks import jobs

DONE = "SELECT count(*) FROM webhook_event WHERE state = 'done'"


def post(line: Line) -> None:
    line.post(orjson.dumps(envelope(messages=[text_message()], contacts=[contact()])))


def test_one_pump_applies_what_comes_while_it_lingers_until_it_is_told_to_end(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.use(line.rt)
    monkeypatch.setattr(jobs, "_LINGER_S", 600.0)
    with ThreadPoolExecutor(1) as worker:
        pump = worker.submit(jobs.apply_events)
        for count in (1, 2, 3):
            post(line)
            wait_until(lambda: line.ask(DONE) == count, "the pump to apply it")  # noqa: B023 (asked at once)
        monkeypatch.setattr(ending, "is_told", lambda: True)
        pump.result(30)


def test_a_pump_that_nothing_comes_for_ends_by_itself(line: Line) -> None:
    runtime.use(line.rt)
    jobs.apply_events()
    assert not line.rt.redis.exists("backchat:rung:intake")
