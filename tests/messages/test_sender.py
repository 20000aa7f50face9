"""The send pump against the simulator: what it answers decides what becomes of a message."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import select, text, update

from bot.messages.jobs import drain_outbox
from bot.messages.pacing import Bucket
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.runtime import Runtime
from broadcasts.control import lifecycle
from broadcasts.transitions import NOBODY
from tests import factories as make
from tests.harness import simulator as sim
from tests.harness.children import wait_until
from tests.harness.simulator import Simulator, message_of
from tests.messages.outboxes import broadcast, copy_of, drained, rows, say


def test_each_message_leaves_once_and_says_whose_it_is(live_rt: Runtime, line: Number, simulator: Simulator) -> None:
    ids = say(live_rt, line, *(make.next_phone() for _ in range(40)))

    drain_outbox()

    assert {row.state for row in rows(live_rt)} == {"accepted"}
    assert Counter(entry["callback"] for entry in simulator.log()) == Counter(f"o1.{id_}.1" for id_ in ids)
    assert {row.evidence for row in rows(live_rt)} == {"response"}


def test_a_broadcast_is_filled_for_each_person_just_before_the_wire(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    broadcast(live_rt, line, 30)

    drain_outbox()

    assert sorted(row.body or "" for row in rows(live_rt)) == sorted(f"Hello Name{n}" for n in range(30))
    assert sorted(entry["params"]["body"][0] for entry in simulator.log()) == sorted(f"Name{n}" for n in range(30))


def test_nobody_gets_a_message_with_a_hole(live_rt: Runtime, line: Number, simulator: Simulator) -> None:
    broadcast(live_rt, line, 1, slots={"body.1": "Dear <<user.last_name>>"})

    drain_outbox()

    (row,) = rows(live_rt)
    assert row.state == "suppressed"
    assert "last_name" in (row.error_text or "")
    assert simulator.log() == []


def test_who_cannot_be_filled_in_keeps_nobody_else_waiting_however_many_there_are(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    broadcast(live_rt, line, 140, slots={"body.1": "Dear <<user.last_name>>"})
    with live_rt.transaction() as session:
        session.execute(update(Person).where(Person.id % 2 == 0).values(last_name="Doe"))

    drain_outbox()

    assert Counter(row.state for row in rows(live_rt)) == {"accepted": 70, "suppressed": 70}
    assert {row.body for row in rows(live_rt) if row.state == "accepted"} == {"Hello Dear Doe"}
    assert len(simulator.log()) == 70


def test_who_would_get_too_long_a_message_fails_and_all_others_get_theirs(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    broadcast(live_rt, line, 20)
    with live_rt.transaction() as session:
        longest = session.scalars(select(Person.id).order_by(Person.id)).first()
        session.execute(update(Person).where(Person.id == longest).values(first_name="x" * 2000))

    drain_outbox()

    states = {row.person_id == longest: (row.state, row.error_text or "") for row in rows(live_rt)}
    assert states[True][0] == "failed"
    assert "WhatsApp takes" in states[True][1]
    assert states[False] == ("accepted", "")
    assert len(simulator.log()) == 19


def test_a_broadcast_with_a_pace_of_its_own_keeps_to_it_and_holds_up_no_other(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    slow = broadcast(live_rt, line, 24, pace_per_s=8)
    fast = copy_of(live_rt, slow, 100)

    drain_outbox()

    with live_rt.transaction() as session:
        since = "SELECT extract(epoch FROM max(wire_at) - min(wire_at)) FROM message WHERE broadcast_id = :id"
        took = {id_: float(session.scalar(text(since), {"id": id_}) or 0) for id_ in (slow, fast)}
    assert len(simulator.log()) == 124
    assert took[slow] > 24 / 8 - 1
    assert took[fast] < took[slow]


def test_replies_leave_before_what_three_broadcasts_still_have_and_these_share_evenly(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    with live_rt.transaction() as session:
        session.execute(update(Number).values(pace_per_s=40))
    first = broadcast(live_rt, line, 50)
    of = dict.fromkeys((first, copy_of(live_rt, first, 50), copy_of(live_rt, first, 50)), 0)
    with ThreadPoolExecutor(1) as other:
        draining = other.submit(drain_outbox)
        wait_until(lambda: simulator.accepted() >= 30, "a part of the broadcasts")
        replies = say(live_rt, line, *(make.next_phone() for _ in range(3)))
        before = simulator.accepted()
        draining.result()

    with live_rt.transaction() as session:
        broadcasts = {row.id: row.broadcast_id for row in session.execute(select(Message.id, Message.broadcast_id))}
        span = session.scalar(text("SELECT extract(epoch FROM max(wire_at) - min(wire_at)) FROM message"))
    order = [message_of(entry) for entry in simulator.log()]
    assert len(order) < 40 * (float(span or 0) + 1), "faster than the number may"
    assert max(order.index(id_) for id_ in replies) - before < 40, "a second's worth at most was before them"
    for id_ in order[:75]:
        if (broadcast_id := broadcasts[id_ or 0]) is not None:
            of[broadcast_id] += 1
    assert all(15 <= count <= 35 for count in of.values()), of
    assert len(order) == len(set(order)) == 153


def test_a_number_that_is_told_too_fast_learns_its_pace_and_loses_nobody(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    number = {"id": sim.NUMBER_ID, "waba_id": sim.WABA_ID, "display_phone_number": "1", "check_window": False}
    simulator.configure(numbers=[number | {"pace_per_s": 20, "enforce_pace": True}])
    broadcast(live_rt, line, 60)

    wait_until(lambda: drained(live_rt), "everybody to be sent to", every_s=0.2)

    assert {row.state for row in rows(live_rt)} == {"accepted"}
    assert len(simulator.log()) == 60
    bucket = Bucket(live_rt.redis, line.id, line.pace_per_s)
    bucket.take(0)
    assert bucket.rate_now < 500


ANSWERS = {
    "+15005550001": ("failed", 131026, False),
    "+15005550002": ("failed", 131049, False),
    "+15005550003": ("queued", 131056, False),
    "+15005550006": ("unknown", 131000, False),
    "+15005550007": ("unknown", 131000, True),
    "+15005550008": ("unknown", None, False),
    "+15005550009": ("unknown", None, True),
    "+15005550011": ("unknown", None, True),
    "+15005550012": ("unknown", None, True),
    "+15005550013": ("unknown", None, True),
    "+15005550014": ("unknown", None, True),
    "+15005550004": ("queued", 130429, False),  # the last, as after it the others might wait
}
"""A phone that the simulator answers in its own way → state and error code then, and whether it took the message."""


def test_what_an_answer_means(live_rt: Runtime, line: Number, simulator: Simulator) -> None:
    say(live_rt, line, *ANSWERS)

    drain_outbox()

    taken = {message_of(entry) for entry in simulator.log()}
    found = {row.to_address: (row.state, row.error_code, row.id in taken) for row in rows(live_rt)}
    assert found == ANSWERS


def test_a_revoked_token_pauses_the_broadcasts_and_fails_nobody_and_a_new_one_reaches_all(
    live_rt: Runtime, line: Number, simulator: Simulator
) -> None:
    now = datetime.now(UTC)
    broadcast_id = broadcast(live_rt, line, 20, launched_at=now, audience_frozen_at=now)
    account = {"waba_id": sim.WABA_ID, "app_secret": sim.APP_SECRET, "verify_token": "x"}
    simulator.configure(accounts=[account | {"access_token": "another"}])

    drain_outbox()

    states = Counter(row.state for row in rows(live_rt))
    with live_rt.transaction() as session:
        row = session.get_one(Broadcast, broadcast_id)
        assert row.state == "paused"
        assert "190" in (row.reason or "")
    assert states == {"queued": 20}
    assert simulator.log() == []

    simulator.configure(accounts=[account | {"access_token": sim.ACCESS_TOKEN}])
    with live_rt.transaction() as session:
        session.execute(update(Message).values(not_before=None))
        lifecycle.resume(session, broadcast_id, NOBODY)
    drain_outbox()

    assert Counter(row.state for row in rows(live_rt)) == {"accepted": 20}
    assert len(simulator.log()) == 20


def test_a_pair_limit_delays_one_and_nobody_else(live_rt: Runtime, line: Number, simulator: Simulator) -> None:
    say(live_rt, line, "+15005550003", *(make.next_phone() for _ in range(5)))

    drain_outbox()

    limited, *others = rows(live_rt)
    assert {row.state for row in others} == {"accepted"}
    assert limited.state == "queued", "nobody waited for it"
    assert limited.not_before is not None
    assert 5.5 < (limited.not_before - limited.wire_at).total_seconds() < 8  # type: ignore[operator]


def test_a_refused_connection_leaves_nobody_in_doubt(live_rt: Runtime, line: Number) -> None:
    with live_rt.transaction() as session:
        session.merge(line).connection.base_url = "http://127.0.0.1:9/v25.0"
    say(live_rt, line, make.next_phone())

    drain_outbox()

    (row,) = rows(live_rt)
    assert row.state == "queued"
    assert "cannot connect" in (row.error_text or "")


def test_an_outage_of_the_provider_fails_nobody_however_long_it_lasts(live_rt: Runtime, line: Number) -> None:
    with live_rt.transaction() as session:
        session.merge(line).connection.base_url = "http://127.0.0.1:9/v25.0"
    [message_id] = say(live_rt, line, make.next_phone())
    with live_rt.transaction() as session:
        session.get_one(Message, message_id).attempt = 50

    drain_outbox()

    (row,) = rows(live_rt)
    assert (row.state, row.attempt) == ("queued", 51)


def test_who_was_switched_off_is_not_written_to(live_rt: Runtime, line: Number, simulator: Simulator) -> None:
    say(live_rt, line, make.next_phone())
    with live_rt.transaction() as session:
        session.scalars(select(Person)).one().enabled = False

    drain_outbox()

    assert [row.state for row in rows(live_rt)] == ["suppressed"]
    assert simulator.log() == []
