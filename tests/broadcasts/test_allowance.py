"""Broadcasts keep to their share of a number's daily tier, together, and go on by themselves when there is room."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text, update

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
from tests.harness.children import wait_until

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


def test_of_two_whose_messages_are_made_at_the_same_moment_one_waits_for_what_the_other_leaves(
    live_rt: Runtime,
) -> None:
    first, second = make_begun(live_rt, 150), campaigns.make_draft(live_rt, 150)
    like = campaigns.get(live_rt, first)
    campaigns.launch(live_rt, second)
    campaigns.change(live_rt, second, number_id=like.number_id, template_id=like.template_id)
    for each in (first, second):
        make(live_rt, each)  # writes down who they are
    with ThreadPoolExecutor(1) as other:
        with live_rt.transaction() as session:
            materialising.materialise(session, first)
            making = other.submit(make, live_rt, second)
            wait_until(lambda: somebody_waits(live_rt), "the second to ask what is left")
        making.result()

    assert [len(messages(live_rt, each)) for each in (first, second)] == [150, 50]


def make(rt: Runtime, broadcast_id: int) -> None:
    with rt.transaction() as session:
        materialising.materialise(session, broadcast_id)


def somebody_waits(rt: Runtime) -> bool:
    with rt.transaction() as session:
        return bool(session.scalar(text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")))


def test_one_that_holds_can_be_paused_and_cancelled(rt: Runtime) -> None:
    broadcast_id = make_begun(rt, 230)
    jobs.work()
    assert stopping.pause(rt, broadcast_id, NOBODY).waiting == 230

    found = stopping.cancel(rt, broadcast_id, NOBODY)

    assert (found.audience, found.cancelled) == (230, 230)
