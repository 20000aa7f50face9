"""Broadcasts keep to their share of a number's daily tier, together, and go on by themselves when there is room."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.words import BroadcastState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.control import stopping
from broadcasts.running import materialising
from broadcasts.transitions import NOBODY
from tests.broadcasts import campaigns
from tests.broadcasts.campaigns import counts, messages, settle, state, tick

TIER = {"tier": "TIER_250"}


def make_begun(rt: Runtime, people: int) -> int:
    """As if it had passed the preflight when there was room still."""
    broadcast_id = campaigns.make_draft(rt, people)
    campaigns.launch(rt, broadcast_id)
    with rt.transaction() as session:
        session.execute(update(Number).values(TIER))
    return broadcast_id


def test_a_broadcast_holds_at_its_share_and_says_so(rt: Runtime) -> None:
    broadcast_id = make_begun(rt, 230)
    jobs.work()

    holding = campaigns.get(rt, broadcast_id)
    assert (holding.state, len(messages(rt, broadcast_id))) == (BroadcastState.RUNNING, 200)
    assert "80 % of 250 people are 200" in (holding.reason or "")
    assert counts(rt, broadcast_id).waiting == 230
    settle(rt, broadcast_id)
    campaigns.change(rt, broadcast_id, wave_until=holding.created_at)
    tick(rt)
    assert (len(messages(rt, broadcast_id)), state(rt, broadcast_id)) == (200, BroadcastState.RUNNING)


def test_it_goes_on_by_itself_a_day_later(rt: Runtime) -> None:
    broadcast_id = make_begun(rt, 230)
    jobs.work()
    settle(rt, broadcast_id)
    yesterday = datetime.now(UTC) - timedelta(hours=25)
    with rt.transaction() as session:
        session.execute(update(Message).values(wire_at=yesterday, accepted_at=yesterday))
    campaigns.change(rt, broadcast_id, wave_until=yesterday)

    tick(rt)

    assert (len(messages(rt, broadcast_id)), campaigns.get(rt, broadcast_id).reason) == (230, None)
    settle(rt, broadcast_id)
    tick(rt)
    assert state(rt, broadcast_id) == BroadcastState.FINISHED


def test_two_broadcasts_share_what_there_is(rt: Runtime) -> None:
    first = make_begun(rt, 150)
    jobs.work()
    second = campaigns.make_draft(rt, 150)
    with rt.transaction() as session:
        number_id = session.scalars(select(Broadcast.number_id).where(Broadcast.id == first)).one()
        template_id = session.scalars(select(Broadcast.template_id).where(Broadcast.id == first)).one()
    campaigns.launch(rt, second)
    campaigns.change(rt, second, number_id=number_id, template_id=template_id)
    jobs.work()

    with rt.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 200
    assert "200 more wait to be" in (campaigns.get(rt, second).reason or "")


def test_two_whose_messages_are_made_at_the_same_moment_share_it_too(
    live_rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(materialising, "CHUNK_PEOPLE", 20)
    first, second = make_begun(live_rt, 150), campaigns.make_draft(live_rt, 150)
    like = campaigns.get(live_rt, first)
    campaigns.launch(live_rt, second)
    campaigns.change(live_rt, second, number_id=like.number_id, template_id=like.template_id)
    ready = threading.Barrier(2)

    def make(broadcast_id: int) -> None:
        ready.wait()
        has_more = True
        while has_more:
            with live_rt.transaction() as session:
                has_more = materialising.materialise(session, broadcast_id)

    makers = [threading.Thread(target=make, args=[each]) for each in (first, second)]
    for each in makers:
        each.start()
    for each in makers:
        each.join()

    made = [len(messages(live_rt, each)) for each in (first, second)]
    assert (sum(made), min(made) > 0) == (200, True), "or they were not at it together"


def test_one_that_holds_can_be_paused_and_cancelled(rt: Runtime) -> None:
    broadcast_id = make_begun(rt, 230)
    jobs.work()
    assert stopping.pause(rt, broadcast_id, NOBODY).waiting == 230

    found = stopping.cancel(rt, broadcast_id, NOBODY)

    assert (found.audience, found.cancelled) == (230, 230)
