"""An event that kills whoever applies it is put aside, and the queue goes on (case 96)."""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson
import pytest
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty
from sqlalchemy import text

from tests.harness.children import Child, wait_until
from tests.harness.house import House
from tests.webhooks.conftest import Line, contact, envelope, quarantine, text_message
from webhooks import contents, in_hand, jobs
from webhooks.apply import Item

LEFT = "SELECT count(*) FROM webhook_in_hand"


def post(line: Line, *texts: str) -> None:
    for said in texts:
        body = orjson.dumps(envelope(messages=[text_message(said)], contacts=[contact()]))
        assert line.post(body).status_code == 200


def die_over(line: Line, how_many: int) -> None:
    """What a pump leaves that died with the first so many events in its hands."""
    with line.rt.transaction() as session:
        session.execute(
            text("""
                INSERT INTO webhook_in_hand (mark, ids, deaths)
                SELECT gen_random_uuid(), array_agg(id), 1
                  FROM (SELECT id FROM webhook_event WHERE state = 'new' ORDER BY id LIMIT :n) e
            """),
            {"n": how_many},
        )


SLOW = [pytest.param(manner, marks=pytest.mark.slow) for manner in ("segfault", "exit")]
"""Ways to die that are told from being killed by their exit code alone."""


@pytest.mark.parametrize("manner", ["killed", *SLOW])
def test_an_event_that_kills_its_worker_three_times_is_put_aside_and_its_neighbours_are_applied(
    empty_house: House, manner: str
) -> None:
    house = empty_house
    command = [sys.executable, "-m", "tests.harness.poison", manner, "worker", "intake"]
    house.children["intake"] = Child("intake", command, house.environment, house.folder)
    house.start("web")
    for said in ("before", "poison", "after"):
        assert house.simulator.say("+201011111111", said) == [200]
    house.start("intake", "clock")
    done = "SELECT count(*) FROM webhook_event WHERE state <> 'new'"
    wait_until(lambda: house.ask(done) == 3, "the queue to go on", timeout_s=60)
    assert house.ask("SELECT array_agg(body ORDER BY id) FROM message WHERE direction = 'in'") == ["before", "after"]
    assert house.ask("SELECT reason FROM quarantine") == in_hand.REASON
    assert house.ask("SELECT severity FROM alert WHERE kind = 'webhook.deadly'") == "critical"
    assert house.ask(LEFT) == 0
    assert house.children["intake"].alive()


def test_a_batch_that_is_done_leaves_no_mark(line: Line) -> None:
    post(line, "one", "two")
    line.apply()
    assert line.ask(LEFT) == 0
    assert line.ask("SELECT count(*) FROM message") == 2


def test_the_mark_is_there_before_the_work_and_outlives_who_dies_of_it(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(line, "one", "two")

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("webhooks.contents.items", die)
        with pytest.raises(SystemExit):
            jobs.drain_once(line.rt)
    assert line.rows("SELECT cardinality(ids), deaths FROM webhook_in_hand") == [(2, 1)]
    line.apply()
    assert line.ask("SELECT count(*) FROM message") == 2
    assert quarantine(line) == []
    assert line.ask(LEFT) == 0


def test_a_kill_that_was_nobodys_fault_costs_no_event(line: Line) -> None:
    for _ in range(in_hand.DEATHS - 1):
        post(line, "one")
        die_over(line, 1)
    line.apply()
    assert line.ask("SELECT count(*) FROM message") == 2
    assert quarantine(line) == []


def test_an_error_is_no_death(line: Line) -> None:
    post(line, "one")
    with line.rt.engine.begin() as blocker:
        blocker.execute(text("LOCK TABLE message IN ACCESS EXCLUSIVE MODE"))
        jobs.drain_once(line.rt)
    assert line.ask(LEFT) == 0
    line.apply()
    assert line.ask("SELECT count(*) FROM message") == 1


def test_an_event_that_takes_longer_than_a_job_may_is_put_aside_and_what_is_behind_it_applied(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(line, "before", "endless", "after")
    read = contents.items

    def dawdle(event: Any) -> Iterator[Item]:
        if b"endless" in event.body:
            time.sleep(60)
        return read(event)

    monkeypatch.setattr("webhooks.contents.items", dawdle)
    for _ in range(20):  # on a slow machine a job's time may be up before it has anything in its hands
        clock = UnixSignalDeathPenalty(1, JobTimeoutException)  # type: ignore[no-untyped-call]  # RQ is typed in part
        with suppress(JobTimeoutException), clock:
            line.apply()
    assert line.ask("SELECT array_agg(body ORDER BY id) FROM message") == ["before", "after"]
    assert quarantine(line) == [("", in_hand.REASON)]
    assert line.ask("SELECT count(*) FROM webhook_event WHERE state = 'new'") + line.ask(LEFT) == 0
