"""A broadcast that is paused, cancelled or over: what it still counts, and what can still be done with it."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.messages import outbox
from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.models.words import BroadcastState, MessageState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.broadcasts import WrongStateError
from broadcasts.control import lifecycle, stopping
from broadcasts.running import materialising
from broadcasts.transitions import NOBODY, Actor
from tests.broadcasts.launches import (
    counts,
    make_draft,
    make_launched,
    make_running,
    prepare_first,
    set_states,
    state_of,
    told,
)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materialising, "CHUNK_PEOPLE", 10)


def test_pausing_while_the_audience_is_prepared_and_resuming_misses_nobody(rt: Runtime, small_chunks: None) -> None:
    broadcast_id = make_launched(rt, people=25)
    prepare_first(rt, broadcast_id)
    with rt.transaction() as session:
        lifecycle.pause(session, broadcast_id, NOBODY, "lunch")
    jobs.work()

    paused = counts(rt, broadcast_id)
    with rt.transaction() as session:
        made = session.scalar(select(func.count()).select_from(Message))
    assert (paused.audience, paused.waiting, made) == (25, 25, 10)

    with rt.transaction() as session:
        lifecycle.resume(session, broadcast_id, NOBODY)
    assert state_of(rt, broadcast_id) == BroadcastState.MATERIALISING
    jobs.work()
    with rt.transaction() as session:
        made = session.scalar(select(func.count()).select_from(Message))
    assert (state_of(rt, broadcast_id), made, counts(rt, broadcast_id)) == (BroadcastState.RUNNING, 25, paused)


def test_whoever_has_a_message_is_sent_to_while_the_others_are_prepared(rt: Runtime, small_chunks: None) -> None:
    broadcast_id = make_launched(rt, people=25)
    prepare_first(rt, broadcast_id)
    with rt.transaction() as session:
        [number_id] = outbox.due_numbers(session)
        looked = outbox.claim(session, number_id, "me", 100, 60.0)
        left = outbox.to_wire(session, "me", looked, 60.0)
    assert (len(left), state_of(rt, broadcast_id)) == (10, BroadcastState.MATERIALISING)
    jobs.work()
    found = counts(rt, broadcast_id)
    assert (found.audience, found.in_flight, state_of(rt, broadcast_id)) == (25, 10, BroadcastState.RUNNING)


@pytest.mark.parametrize("step", [lifecycle.pause, lifecycle.cancel])
def test_messages_that_were_being_made_when_it_was_stopped_are_not_made(
    live_rt: Runtime, small_chunks: None, step: Callable[[Session, int, Actor], None]
) -> None:
    broadcast_id = make_launched(live_rt, people=25)
    prepare_first(live_rt, broadcast_id)
    with live_rt.transaction() as session:
        broadcast, now = session.get_one(Broadcast, broadcast_id), datetime.now(UTC)
        with live_rt.transaction() as other:
            step(other, broadcast_id, NOBODY)
        assert materialising._make_chunk(session, broadcast, now, is_late=False)
    assert (counts(live_rt, broadcast_id).audience, count_messages(live_rt)) == (25, 10)


def test_of_two_workers_that_make_the_same_messages_one_has_made_them(live_rt: Runtime, small_chunks: None) -> None:
    broadcast_id = make_launched(live_rt, people=25)
    prepare_first(live_rt, broadcast_id)
    with live_rt.transaction() as session:
        broadcast, now = session.get_one(Broadcast, broadcast_id), datetime.now(UTC)
        with live_rt.transaction() as other:
            materialising.materialise(other, broadcast_id)
            materialising.materialise(other, broadcast_id)
        assert materialising._make_chunk(session, broadcast, now, is_late=False)
    with live_rt.transaction() as session:
        last = session.scalar(select(func.max(Message.person_id)))
        assert session.get_one(Broadcast, broadcast_id).cursor == last
    assert count_messages(live_rt) == 25


def count_messages(rt: Runtime) -> int:
    with rt.transaction() as session:
        return session.scalars(select(func.count()).select_from(Message)).one()


def test_cancelling_half_way_counts_those_who_were_never_prepared(rt: Runtime, small_chunks: None) -> None:
    broadcast_id = make_launched(rt, people=25)
    prepare_first(rt, broadcast_id)
    set_states(rt, broadcast_id, MessageState.ACCEPTED, MessageState.FAILED, MessageState.UNKNOWN)

    found = stopping.cancel(rt, broadcast_id, NOBODY, "wrong list")

    assert (found.audience, found.accepted, found.failed, found.in_doubt, found.cancelled) == (25, 1, 1, 1, 22)
    jobs.work()
    jobs.sweep(rt)
    assert counts(rt, broadcast_id) == found
    assert state_of(rt, broadcast_id) == BroadcastState.CANCELLED


def test_what_goes_back_to_the_queue_of_a_cancelled_broadcast_is_cancelled_too(rt: Runtime) -> None:
    broadcast_id = make_running(rt)
    with rt.transaction() as session:
        lifecycle.cancel(session, broadcast_id, NOBODY)
    rt.redis.flushall()

    jobs.sweep(rt)
    assert rt.redis.keys("backchat:rung:*") == [b"backchat:rung:bulk"]
    jobs.work()

    assert counts(rt, broadcast_id).cancelled == 3


@pytest.mark.parametrize("stop", [stopping.pause, stopping.cancel])
def test_stopping_returns_when_nothing_is_on_its_way_any_more(live_rt: Runtime, stop: Any) -> None:
    broadcast_id = make_running(live_rt)
    set_states(live_rt, broadcast_id, MessageState.WIRE, MessageState.CLAIMED)

    def send() -> None:
        time.sleep(1)
        set_states(live_rt, broadcast_id, MessageState.ACCEPTED, MessageState.ACCEPTED)

    sender = threading.Thread(target=send)
    began = time.monotonic()
    sender.start()
    found = stop(live_rt, broadcast_id, NOBODY)
    took = time.monotonic() - began
    sender.join()

    assert took >= 1
    assert (found.accepted, found.in_flight) == (2, 0)


def test_stopping_says_how_many_are_still_on_their_way_when_it_has_waited_long_enough(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "DRAIN_S", 0.3)
    broadcast_id = make_running(rt)
    set_states(rt, broadcast_id, MessageState.WIRE)

    assert stopping.pause(rt, broadcast_id, NOBODY).in_flight == 1


@pytest.mark.parametrize("waiting", [MessageState.QUEUED, MessageState.CLAIMED, MessageState.WIRE])
def test_a_broadcast_is_not_finished_while_anybody_waits(rt: Runtime, waiting: MessageState) -> None:
    broadcast_id = make_running(rt)
    set_states(rt, broadcast_id, MessageState.ACCEPTED, waiting, MessageState.UNKNOWN)
    jobs.sweep(rt)
    assert state_of(rt, broadcast_id) == BroadcastState.RUNNING

    set_states(rt, broadcast_id, MessageState.ACCEPTED, MessageState.FAILED, MessageState.UNKNOWN)
    jobs.sweep(rt)
    assert state_of(rt, broadcast_id) == BroadcastState.FINISHED
    assert told(rt, broadcast_id)[-1] == ("running", "finished")


def test_a_finished_broadcast_goes_on_when_a_doubtful_message_turns_out_unsent(rt: Runtime) -> None:
    broadcast_id = make_running(rt, people=1)
    set_states(rt, broadcast_id, MessageState.UNKNOWN)
    jobs.sweep(rt)
    set_states(rt, broadcast_id, MessageState.QUEUED)
    rt.redis.flushall()

    jobs.sweep(rt)

    assert state_of(rt, broadcast_id) == BroadcastState.RUNNING
    assert rt.redis.keys("backchat:rung:*") == [b"backchat:rung:send"]


@pytest.mark.parametrize(
    "change, state",
    [
        (lifecycle.pause, BroadcastState.DRAFT),
        (lifecycle.pause, BroadcastState.FINISHED),
        (lifecycle.resume, BroadcastState.RUNNING),
        (lifecycle.cancel, BroadcastState.FINISHED),
        (lifecycle.cancel, BroadcastState.CANCELLED),
    ],
)
def test_a_change_that_does_not_fit_the_state_is_refused(rt: Runtime, change: Any, state: BroadcastState) -> None:
    broadcast_id = make_draft(rt)
    with rt.transaction() as session:
        session.execute(update(Broadcast).values(state=state))

    with pytest.raises(WrongStateError, match=f"is {state}"), rt.transaction() as session:
        change(session, broadcast_id, NOBODY)
    assert told(rt, broadcast_id) == []
