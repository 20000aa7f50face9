"""Whoever launches or approves at the same moment: it happens once, and the others are told so."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.messages import policy
from bot.models.broadcast import Broadcast, BroadcastTransition
from bot.models.message import Message
from bot.models.words import BroadcastState, Role
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.broadcasts import AlreadyLaunchedError, BroadcastError, WrongStateError
from broadcasts.control import lifecycle
from broadcasts.preflight.gate import CountError
from broadcasts.preflight.launching import ApprovalError
from broadcasts.transitions import NOBODY, Actor
from tests import factories
from tests.broadcasts.drafted import make_draft

AT_ONCE = 4


def make_one(rt: Runtime, **rules: Any) -> int:
    with rt.transaction() as session:
        policy.change(session, "live", policy.Policy(**rules), None)
        return make_draft(session, 5).id


def all_at_once(rt: Runtime, works: list[Callable[[Session], object]]) -> list[object]:
    """What each came to: its value or its refusal."""
    start = threading.Barrier(len(works))
    found: list[object] = []

    def run(work: Callable[[Session], object]) -> None:
        start.wait()
        try:
            with rt.transaction() as session:
                found.append(work(session))
        except BroadcastError as error:
            found.append(type(error))

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def transitions(rt: Runtime, broadcast_id: int) -> list[str]:
    with rt.transaction() as session:
        mine = select(BroadcastTransition.to_state).where(BroadcastTransition.broadcast_id == broadcast_id)
        return list(session.scalars(mine.order_by(BroadcastTransition.id)))


def ask(rt: Runtime, broadcast_id: int) -> int:
    """Ask for approval; who did."""
    with rt.transaction() as session:
        asker = factories.make_operator(session, Role.MARKETER).id
        assert lifecycle.launch(session, broadcast_id, Actor(operator_id=asker)) == BroadcastState.APPROVAL
    return asker


def test_of_launches_at_once_one_launches_and_nobody_gets_two_messages(live_rt: Runtime) -> None:
    broadcast_id = make_one(live_rt)

    found = all_at_once(live_rt, [lambda tx: lifecycle.launch(tx, broadcast_id, NOBODY)] * AT_ONCE)
    jobs.work()

    assert sorted(map(str, found)) == sorted(
        map(str, [BroadcastState.MATERIALISING, *[AlreadyLaunchedError] * (AT_ONCE - 1)])
    )
    assert transitions(live_rt, broadcast_id) == ["materialising", "running"]
    with live_rt.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 5


def test_of_approvals_at_once_one_launches(live_rt: Runtime) -> None:
    broadcast_id = make_one(live_rt, approve_above=1)
    ask(live_rt, broadcast_id)
    with live_rt.transaction() as session:
        seconds = [factories.make_operator(session).id for _ in range(AT_ONCE)]

    def approving(operator_id: int) -> Callable[[Session], object]:
        return lambda tx: lifecycle.approve(tx, broadcast_id, Actor(operator_id=operator_id))

    found = all_at_once(live_rt, [approving(each) for each in seconds])

    assert found.count(BroadcastState.MATERIALISING) == 1
    assert found.count(WrongStateError) == AT_ONCE - 1
    assert transitions(live_rt, broadcast_id) == ["approval", "materialising"]


def test_a_yes_and_a_no_at_once_are_one_of_them(live_rt: Runtime) -> None:
    broadcast_id = make_one(live_rt, approve_above=1)
    asker = ask(live_rt, broadcast_id)
    with live_rt.transaction() as session:
        second = Actor(operator_id=factories.make_operator(session).id)

    found = all_at_once(
        live_rt,
        [
            lambda tx: lifecycle.approve(tx, broadcast_id, second),
            lambda tx: lifecycle.decline(tx, broadcast_id, Actor(operator_id=asker), "wait"),
        ],
    )

    assert found.count(WrongStateError) == 1
    assert len(transitions(live_rt, broadcast_id)) == 2


@pytest.mark.parametrize("who", ["nobody", "a token", "the asker", "a coach", "somebody who left"])
def test_only_another_operator_who_may_broadcast_approves(rt: Runtime, session: Session, who: str) -> None:
    broadcast_id = make_one(rt, approve_above=1)
    asker = ask(rt, broadcast_id)
    actors = {
        "nobody": NOBODY,
        "a token": Actor(token_id=factories.make_token(session).id),
        "the asker": Actor(operator_id=asker),
        "a coach": Actor(operator_id=factories.make_operator(session, Role.COACH).id),
        "somebody who left": Actor(operator_id=factories.make_operator(session, active=False).id),
    }

    with pytest.raises(ApprovalError):
        lifecycle.approve(session, broadcast_id, actors[who])


def test_a_program_that_asked_is_not_the_one_who_approves(rt: Runtime, session: Session) -> None:
    broadcast_id = make_one(rt, approve_above=1)
    token = factories.make_token(session)
    session.commit()
    asked = lifecycle.launch(session, broadcast_id, Actor(token_id=token.id))

    second = Actor(operator_id=factories.make_operator(session).id)
    assert (asked, lifecycle.approve(session, broadcast_id, second)) == (
        BroadcastState.APPROVAL,
        BroadcastState.MATERIALISING,
    )
    launched = session.get_one(Broadcast, broadcast_id, populate_existing=True)
    assert (launched.launched_by_token_id, launched.launched_by_operator_id) == (token.id, None)


@pytest.mark.parametrize("actor", ["nobody", "a token"])
def test_neither_a_command_nor_a_program_launches_around_the_count(rt: Runtime, session: Session, actor: str) -> None:
    broadcast_id = make_one(rt, type_count_above=4)
    who = NOBODY if actor == "nobody" else Actor(token_id=factories.make_token(session).id)

    for confirmed in (None, 4, 6, 0, -5):
        with pytest.raises(CountError) as refused:
            lifecycle.launch(session, broadcast_id, who, confirmed=confirmed)
        assert refused.value.people == 5
    assert lifecycle.launch(session, broadcast_id, who, confirmed=5) == BroadcastState.MATERIALISING


def test_a_wrong_count_is_refused_even_where_none_is_asked_for(rt: Runtime, session: Session) -> None:
    with pytest.raises(CountError, match="5 people and not to 7"):
        lifecycle.launch(session, make_one(rt), NOBODY, confirmed=7)


def test_a_launch_for_later_is_scheduled_and_nobody_written_down_yet(rt: Runtime, session: Session) -> None:
    broadcast_id = make_one(rt)
    broadcast = session.get_one(Broadcast, broadcast_id)
    broadcast.scheduled_at = session.scalars(select(func.now() + func.make_interval(0, 0, 0, 1))).one()
    session.commit()

    assert lifecycle.launch(session, broadcast_id, NOBODY) == BroadcastState.SCHEDULED
    session.refresh(broadcast)
    assert (broadcast.launched_at, broadcast.audience_frozen_at) == (None, None)
    assert broadcast.frozen_template is not None


def test_an_end_that_is_over_stands_in_the_way(rt: Runtime, session: Session) -> None:
    broadcast_id = make_one(rt)
    broadcast = session.get_one(Broadcast, broadcast_id)
    broadcast.not_after = session.scalars(select(func.now())).one()
    session.commit()

    with pytest.raises(BroadcastError, match="end is over already"):
        lifecycle.launch(session, broadcast_id, NOBODY)
