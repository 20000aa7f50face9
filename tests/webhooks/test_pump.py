"""The pump does a batch whole or not at all, and one bad event never holds up the others."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot import failpoints, health, queue, runtime
from bot.journeys import loading
from tests.webhooks.conftest import Line, contact, envelope, quarantine, text_message
from webhooks import apply, jobs

WELCOME = """
journey: welcome
start: {first_message: true, keywords: [menu]}
steps:
  - say: Welcome!
"""


@pytest.fixture
def welcomed(line: Line) -> Line:
    with line.rt.transaction() as session:
        loading.load(session, "live", WELCOME, "welcome.yaml")
    return line


def replies(line: Line) -> int:
    return int(line.ask("SELECT count(*) FROM message WHERE author_kind = 'stack'"))


def post(line: Line, *messages: dict[str, Any]) -> None:
    assert line.post(orjson.dumps(envelope(messages=list(messages), contacts=[contact()]))).status_code == 200


@contextmanager
def refusing(line: Line, when: str) -> Iterator[None]:
    """Let PostgreSQL refuse messages for which `when` holds, as a constraint of tomorrow might."""
    with line.rt.transaction() as session:
        session.execute(text(f"ALTER TABLE message ADD CONSTRAINT tomorrow CHECK (NOT ({when})) NOT VALID"))
    yield
    with line.rt.transaction() as session:  # so that the database can be used again
        session.execute(text("ALTER TABLE message DROP CONSTRAINT tomorrow"))


def test_a_first_message_is_answered_once_however_often_it_comes(welcomed: Line) -> None:
    message = text_message()
    welcomed.tell(message, contacts=[contact()])
    welcomed.tell(message)
    welcomed.tell(message, text_message("and a second one"))
    assert replies(welcomed) == 1
    assert welcomed.rt.redis.exists("backchat:rung:send")


def test_a_file_is_asked_for_as_soon_as_its_message_is_there(line: Line) -> None:
    line.tell(text_message(type="image", image={"id": "media.1", "mime_type": "image/jpeg"}), contacts=[contact()])
    assert line.rt.redis.exists("backchat:rung:media")
    assert not line.rt.redis.exists("backchat:rung:send")


def test_two_first_messages_at_once_are_one_first_message(welcomed: Line) -> None:
    post(welcomed, text_message("one"), text_message("two"))
    post(welcomed, text_message("three"))
    welcomed.apply()
    assert replies(welcomed) == 1


def test_a_message_older_than_the_window_starts_no_journey(welcomed: Line) -> None:
    welcomed.tell(text_message("menu", age_s=25 * 3600))
    assert replies(welcomed) == 0
    assert welcomed.ask("SELECT count(*) FROM message") == 1


def test_a_batch_that_breaks_off_leaves_nothing_half_done(welcomed: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    post(welcomed, text_message())

    def crash(name: str) -> None:
        if name == "IN3":
            raise SystemExit(1)

    with monkeypatch.context() as patch:
        patch.setattr(failpoints, "hit", crash)
        with pytest.raises(SystemExit):
            jobs.drain_once(welcomed.rt)
    for table in ("person", "conversation", "episode", "message"):
        assert welcomed.ask(f"SELECT count(*) FROM {table}") == 0
    assert welcomed.ask("SELECT state FROM webhook_event") == "new"
    welcomed.apply()
    assert replies(welcomed) == 1


def test_an_item_the_database_refuses_goes_aside_and_its_neighbours_are_applied(line: Line) -> None:
    for number in range(3):
        post(line, text_message(f"before {number}"), text_message("poison"), text_message(f"after {number}"))
    with refusing(line, "body = 'poison'"):
        line.apply()
    assert line.ask("SELECT count(*) FROM message") == 6
    assert [pointer for pointer, _ in quarantine(line)] == ["/entry/0/changes/0/value/messages/1"] * 3
    assert 'violates check constraint "tomorrow"' in quarantine(line)[0][1]
    assert line.ask("SELECT count(*) FROM webhook_event WHERE state = 'quarantined'") == 3


def test_a_journey_that_fails_does_not_cost_the_message(welcomed: Line) -> None:
    with refusing(welcomed, "direction = 'out'"):
        welcomed.tell(text_message("hello"), contacts=[contact()])
    assert welcomed.rows("SELECT body FROM message") == [("hello",)]
    assert welcomed.ask("SELECT state FROM conversation") == "open"
    [(_, reason)] = quarantine(welcomed)
    assert reason.startswith("the message is kept, but its journey failed: CheckViolation")


def test_a_busy_database_is_not_held_against_the_event(line: Line) -> None:
    post(line, text_message())
    with line.rt.engine.begin() as blocker:
        blocker.execute(text("LOCK TABLE message IN ACCESS EXCLUSIVE MODE"))
        assert jobs.drain_once(line.rt) == 1  # gives up after lock_timeout
        assert line.rows("SELECT state, attempt FROM webhook_event") == [("new", 1)]
    line.apply()
    assert line.ask("SELECT count(*) FROM message") == 1
    assert quarantine(line) == []


def test_an_event_that_never_finds_the_database_ready_is_put_aside_in_the_end(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(line, text_message("never"))
    post(line, text_message("always"))

    def deadlock(session: Any, items: Any, **options: Any) -> Any:
        if any(getattr(item.event, "body", None) == "never" for item in items):
            raise OperationalError("", {}, Exception("deadlock detected"))
        return applied(session, items, **options)

    applied = apply.apply
    monkeypatch.setattr(apply, "apply", deadlock)
    monkeypatch.setattr(jobs, "_PAUSE_S", 0.0)
    line.apply()
    assert line.rows("SELECT body FROM message") == [("always",)]
    assert quarantine(line) == [("", "it could not be applied in 5 attempts: Exception")]
    assert line.rows("SELECT state, attempt FROM webhook_event ORDER BY id") == [("quarantined", 4), ("done", 2)]


def test_a_timeout_of_the_job_ends_it_and_is_not_held_against_the_event(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(line, text_message())
    calls = []

    def late(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise queue.JobTimeoutError
        return applied(*arguments, **options)

    applied = apply.apply
    with monkeypatch.context() as patch:
        patch.setattr(apply, "apply", late)
        with pytest.raises(queue.JobTimeoutError):
            jobs.drain_once(line.rt)
    assert line.rows("SELECT state, attempt FROM webhook_event") == [("new", 0)]


def test_what_one_pump_has_taken_another_leaves_alone(line: Line) -> None:
    post(line, text_message("first"))
    with line.rt.engine.begin() as pump:
        assert pump.execute(jobs._CLAIM, {"limit": 10}).rowcount == 1
        assert jobs.drain_once(line.rt) == 0
        post(line, text_message("second"))
        assert jobs.drain_once(line.rt) == 1
        assert jobs.drain_once(line.rt) == 0
    assert line.rows("SELECT body FROM message") == [("second",)]


def test_two_pumps_share_the_work_and_do_nothing_twice(welcomed: Line) -> None:
    for number in range(60):
        post(welcomed, text_message(f"{number}", sender=f"2010{number % 7:08d}"))
    pumps = [threading.Thread(target=welcomed.apply) for _ in range(4)]
    for pump in pumps:
        pump.start()
    for pump in pumps:
        pump.join()
    assert welcomed.ask("SELECT count(*) FROM message WHERE direction = 'in'") == 60
    assert welcomed.ask("SELECT count(*) FROM person") == 7
    assert welcomed.ask("SELECT count(*) FROM conversation") == 7
    assert welcomed.ask("SELECT count(*) FROM episode") == 7
    assert welcomed.ask("SELECT sum(unread_count) FROM conversation") == 60
    assert replies(welcomed) == 7
    assert quarantine(welcomed) == []


def test_large_bodies_are_taken_in_several_batches(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        post(line, text_message("long " * 400))
    monkeypatch.setattr(jobs, "BATCH_BYTES", 5000)
    assert [jobs.drain_once(line.rt) for _ in range(3)] == [2, 2, 0]


def test_the_sweep_rings_for_what_nobody_has_come_for(line: Line) -> None:
    rung = "backchat:rung:intake"
    post(line, text_message())
    time.sleep(0.2)
    line.rt.redis.flushall()  # the ring is lost
    jobs.sweep(line.rt)
    assert not line.rt.redis.exists(rung)  # it is young: its own ring may still be on its way
    with line.rt.transaction() as session:
        session.execute(text("UPDATE webhook_event SET received_at = now() - interval '3 seconds'"))
    jobs.sweep(line.rt)
    assert line.rt.redis.exists(rung)
    with line.rt.sessions() as session:
        assert 3 <= (health.oldest_unprocessed_s(session) or 0) < 10
    line.apply()
    line.rt.redis.flushall()
    jobs.sweep(line.rt)
    assert not line.rt.redis.exists(rung)


def test_the_sweep_applies_what_waits_when_there_is_no_redis_to_ring(line: Line) -> None:
    post(line, text_message())
    with line.rt.transaction() as session:
        session.execute(text("UPDATE webhook_event SET received_at = now() - interval '3 seconds'"))
    jobs.sweep(replace(line.rt, redis=queue.connect("redis://127.0.0.1:9")))
    assert line.ask("SELECT count(*) FROM message") == 1


def test_a_job_that_runs_again_after_it_is_done_has_no_second_effect(welcomed: Line) -> None:
    """Case 92."""
    post(welcomed, text_message())
    runtime.use(welcomed.rt)
    for _ in range(3):
        jobs.apply_events()
    assert welcomed.ask("SELECT count(*) FROM message WHERE direction = 'in'") == 1
    assert replies(welcomed) == 1


def test_a_message_in_two_envelopes_is_one_message_and_one_reply(welcomed: Line) -> None:
    """Case 4."""
    message = text_message()
    post(welcomed, message)
    post(welcomed, text_message("another"), message)
    welcomed.apply()
    assert welcomed.ask("SELECT count(*) FROM webhook_event") == 2
    assert welcomed.ask("SELECT count(*) FROM message WHERE direction = 'in'") == 2
    assert replies(welcomed) == 1


def test_the_pump_rings_again_when_its_time_is_up(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.use(line.rt)
    for _ in range(3):
        post(line, text_message())
    time.sleep(0.2)
    line.rt.redis.flushall()
    monkeypatch.setattr(jobs, "BATCH_EVENTS", 1)
    monkeypatch.setattr(time, "monotonic", _ticking(line.rt.settings.pump_s))
    jobs.apply_events()
    assert line.ask("SELECT count(*) FROM webhook_event WHERE state = 'done'") == 1
    assert line.rt.redis.exists("backchat:rung:intake")


def _ticking(step: float) -> Callable[[], float]:
    now = 0.0

    def tick() -> float:
        nonlocal now
        now += step + 1
        return now

    return tick
