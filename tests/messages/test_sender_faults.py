"""What changes under a sender at work, be it the provider, the template or the clock: all that leaves has left once."""

import ast
import dataclasses
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from bot import messages as room
from bot import runtime
from bot.messages import outbox
from bot.messages.jobs import drain_outbox
from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Connection, Number
from bot.models.message import Message
from bot.runtime import Runtime
from broadcasts.control import stopping
from broadcasts.transitions import NOBODY
from tests.harness import simulator as sim
from tests.harness.children import wait_until
from tests.harness.simulator import Simulator
from tests.messages.outboxes import TEMPLATE, broadcast, drained, rows, say

WINDOW = 16


@contextmanager
def draining(simulator: Simulator, accepted: int) -> Iterator[Future[None]]:
    """A sender at work; the block begins when so many were accepted and ends when it has nothing more to do."""
    with ThreadPoolExecutor(1) as other:
        pump = other.submit(drain_outbox)
        wait_until(lambda: simulator.accepted() >= accepted, "a part of the broadcast")
        yield pump
        pump.result()


def set_pace(rt: Runtime, per_s: int) -> None:
    with rt.transaction() as session:
        session.execute(update(Number).values(pace_per_s=per_s))


def test_nothing_is_accepted_any_more_once_a_cancel_has_returned(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    """Case 51."""
    set_pace(live_rt, 60)
    broadcast_id = broadcast(live_rt, line, 150)
    with draining(simulator, 20):
        counts = stopping.cancel(live_rt, broadcast_id, NOBODY)
        accepted = simulator.accepted()
    assert simulator.accepted() == accepted
    assert Counter(row.state for row in rows(live_rt)) == {"accepted": accepted, "cancelled": 150 - accepted}
    assert (counts.accepted, counts.in_flight, counts.cancelled > 0) == (accepted, 0, True)


def test_the_words_of_the_launch_are_sent_until_the_provider_pauses_the_template(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    """Case 53."""
    set_pace(live_rt, 60)
    broadcast_id = broadcast(live_rt, line, 150)
    with live_rt.transaction() as session:
        session.execute(update(Template).values(components=[{"type": "BODY", "text": "Goodbye {{1}}"}]))
    template = {"waba_id": sim.WABA_ID, "name": TEMPLATE["name"], "language": TEMPLATE["language"]}
    with draining(simulator, 20):
        simulator.control("template", template | {"status": "PAUSED"})
        accepted = simulator.accepted()

    states = Counter(row.state for row in rows(live_rt))
    assert {(row.body or "").split()[0] for row in rows(live_rt) if row.state == "accepted"} == {"Hello"}
    assert set(states) == {"accepted", "failed", "queued"}
    assert states["failed"] <= WINDOW
    assert states["accepted"] == simulator.accepted() <= accepted + WINDOW
    with live_rt.transaction() as session:
        found = session.get_one(Broadcast, broadcast_id)
        assert (found.state, "132015" in (found.reason or "")) == ("paused", True)


def test_after_an_outage_everybody_gets_it_once_and_nobody_was_in_doubt(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    """Case 61."""
    broadcast(live_rt, line, 30)
    point_to(live_rt, "http://127.0.0.1:9/v25.0")
    drain_outbox()
    put_off = rows(live_rt)
    assert {row.state for row in put_off} == {"queued"}
    assert any(row.attempt and row.not_before for row in put_off), "or nobody has tried"

    point_to(live_rt, f"{simulator.url}/v25.0")
    with live_rt.transaction() as session:
        session.execute(update(Message).values(not_before=None))
    wait_until(lambda: drained(live_rt), "everybody to be sent to", every_s=0.2)

    assert {(row.state, row.unknown_at) for row in rows(live_rt)} == {("accepted", None)}
    assert len(simulator.log()) == 30


def point_to(rt: Runtime, url: str) -> None:
    with rt.transaction() as session:
        session.execute(update(Connection).values(base_url=url))


def test_connections_that_the_provider_closes_while_idle_cost_no_second_request(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    """Case 62."""
    set_pace(live_rt, 100)
    broadcast(live_rt, line, 120)
    simulator.set_faults(send={"close_idle": 0.4}, idle_close_s=0.01)
    with draining(simulator, 20) as pump:
        while not pump.done():
            simulator.control("close_idle", method="POST")
            time.sleep(0.02)

    asked = Counter(request["callback"] for request in simulator.control("requests"))
    assert set(asked.values()) == {1}, "two requests for one attempt"
    told = {f"o1.{row.id}.{row.attempt}": row.state for row in rows(live_rt)}
    assert set(told.values()) <= {"accepted", "unknown"}
    in_log = [entry["callback"] for entry in simulator.log()]
    assert len(in_log) == len(set(in_log))
    assert {mark for mark, state in told.items() if state == "accepted"} <= set(in_log)


def test_while_fifty_calls_hang_no_connection_is_held_and_no_row_is_locked(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    """Cases 67 and 68: what pages and other workers need is theirs."""
    patient = dataclasses.replace(live_rt.settings, send_window=50, provider_timeout_s=20)
    rt = runtime.use(dataclasses.replace(live_rt, settings=patient))
    simulator.set_faults(send={"hang": 1.0}, hang_s=4)
    broadcast_id = broadcast(rt, line, 50)
    with ThreadPoolExecutor(1) as other:
        pump = other.submit(drain_outbox)
        wait_until(lambda: Counter(row.state for row in rows(rt))["wire"] == 50, "all of them to hang")
        wait_until(lambda: rt.engine.pool.checkedout() == 0, "the sender to hold no connection")  # type: ignore[attr-defined]
        with rt.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '2s'"))
            for table in ("broadcast", "person", "message", "number"):
                session.execute(text(f"SELECT id FROM {table} FOR UPDATE"))
            states = session.scalars(select(Message.state).where(Message.broadcast_id == broadcast_id)).all()
        assert Counter(states) == {"wire": 50}, "or they do not hang any more"
        pump.result()
    assert Counter(row.state for row in rows(rt)) == {"accepted": 50}


@pytest.mark.parametrize("off_s", [600, -600])
def test_a_worker_whose_clock_jumps_back_and_forth_sends_to_all_once(
    live_rt: Runtime, line: Number, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, off_s: int
) -> None:
    """Case 65; what no test can set, the clock behind datetime.now(), nobody here asks."""
    broadcast(live_rt, line, 40)
    say(live_rt, line, "+15005550016")
    right, off = time.time, cycle([0, off_s])
    monkeypatch.setattr(time, "time", lambda: right() + next(off))
    with draining(simulator, 1), live_rt.transaction() as session:
        outbox.sweep(session)
    with live_rt.transaction() as session:
        outbox.sweep(session)

    assert {(row.state, row.unknown_at) for row in rows(live_rt)} == {("accepted", None)}
    assert len(simulator.log()) == 41


def test_nobody_in_the_room_of_messages_asks_the_machine_what_time_it_is() -> None:
    """Case 65: leases, waits and the order of consents are by the database's clock, deadlines by a steady one."""
    asked = [
        f"{path.name}:{node.lineno}"
        for path in sorted(Path(room.__path__[0]).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"datetime.now", "datetime.utcnow", "time.time"}
    ]
    assert asked == []
