"""When the workspace's zone is changed, goals say what they would if it had never been another."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from bot import runtime
from bot.erasure import statements
from bot.goals import jobs, noticing, zones
from bot.models.goals import Behaviour, BehaviourDay, Goal, PersonEvent
from bot.runtime import Runtime
from tests import factories as make
from tests.goals.aims import event, keyword, look_back, make_goal
from tests.harness.children import wait_until

BEGIN = datetime(2026, 3, 27, tzinfo=UTC)
"""Clocks in Europe are put on two nights later."""
ZONES = ("UTC", "Europe/Berlin", "Pacific/Apia", "America/St_Johns")

moments = st.integers(0, 4 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
deeds = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(("start", "end")), moments), min_size=8, max_size=16)


@pytest.fixture
def session(session: Session) -> Iterator[Session]:
    told = runtime.current()
    yield session
    runtime.use(told)


def move_to(zone: str) -> None:
    told = runtime.current()
    runtime.use(replace(told, settings=replace(told.settings, time_zone=zone)))


def cut(session: Session, zone: str) -> None:
    """What the clock does after a restart with another zone."""
    move_to(zone)
    while (behaviour := zones.behind(session, zone)) is not None:
        zones.cut(session, behaviour, zone)
    look_back(session)


def do(session: Session, name: str, person_id: int, number_id: int, at: datetime) -> None:
    """An event is told as `start`; `end` is written."""
    if name == "start":
        session.add(PersonEvent(environment="live", person_id=person_id, name=name, at=at))
        noticing.happened(session, "live", [noticing.Happened(person_id, name, at)])
    else:
        said: dict[str, Any] = {"person_id": person_id, "number_id": number_id, "at": at, "body": name}
        session.execute(_WRITE, said)
        noticing.said(session, "live", [noticing.Said(**said)])


_WRITE = text("""
    INSERT INTO message (environment, person_id, number_id, direction, state, kind, body, occurred_at)
    VALUES ('live', :person_id, :number_id, 'in', 'received', 'text', :body, :at)
""")


def rows(session: Session, goal: Goal) -> set[tuple[Any, ...]]:
    columns = (Behaviour.name, BehaviourDay.person_id, BehaviourDay.day, BehaviourDay.at, BehaviourDay.number_id)
    found = select(*columns).join(Behaviour, Behaviour.id == BehaviourDay.behaviour_id)
    return {tuple(row) for row in session.execute(found.where(Behaviour.goal_id == goal.id))}


def test_days_are_cut_anew_as_a_count_from_zero_cuts_them(session: Session) -> None:
    @settings(
        max_examples=2,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(done=deeds, zone=st.permutations(ZONES))
    def check(done: list[tuple[int, str, datetime]], zone: list[str]) -> None:
        with session.begin_nested() as savepoint:
            move_to(zone[0])
            goal = make_goal(session, event("start"), keyword("end"))
            people, number = [make.make_person(session) for _ in range(3)], make.make_number(session)
            for place, (who, name, at) in enumerate(done):
                do(session, name, people[who].id, number.id, at + timedelta(microseconds=place))
            for each in zone[1:3]:
                cut(session, each)
            counted = make_goal(session, event("start"), keyword("end"), looks_back=True, name="From zero")
            look_back(session)
            assert rows(session, goal) == rows(session, counted)
            assert rows(session, goal) == plainly(done, [each.id for each in people], number.id, ZoneInfo(zone[2]))
            savepoint.rollback()
        session.expunge_all()

    check()


def plainly(
    done: list[tuple[int, str, datetime]], people: list[int], number: int, zone: ZoneInfo
) -> set[tuple[Any, ...]]:
    first: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    told = ((who, name, at + timedelta(microseconds=place)) for place, (who, name, at) in enumerate(done))
    for who, name, at in sorted(told, key=lambda one: one[2]):
        day = at.astimezone(zone).date()
        row = (name, people[who], day, at, number if name == "end" else None)
        first.setdefault((name, who, day), row)
    return set(first.values())


def test_what_was_before_the_goal_stays_out_and_whoever_was_erased_stays_in(session: Session) -> None:
    move_to("UTC")
    ann, bob, number = make.make_person(session), make.make_person(session), make.make_number(session)
    do(session, "start", ann.id, number.id, BEGIN)
    session.execute(text("UPDATE person_event SET created_at = created_at - interval '1 day'"))
    goal = make_goal(session, event("start"), keyword("end"))
    do(session, "start", bob.id, number.id, BEGIN + timedelta(hours=23))
    told = {"id": bob.id, "environment": "live", "spoken": [], "spellings": [], "named": [], "operator_id": None}
    told |= {"gone": statements.GONE, "gone_alert": ""}
    for _, statement in statements.ALL:
        session.execute(statement, {name: told[name] for name in statement.compile().params})
    assert session.scalar(select(func.count()).select_from(PersonEvent)) == 1
    cut(session, "Europe/Berlin")
    next_day = BEGIN.date() + timedelta(days=1)
    assert rows(session, goal) == {("start", bob.id, next_day, BEGIN + timedelta(hours=23), None)}


def test_what_is_noted_while_the_days_are_cut_waits_and_has_the_new_ones(live_rt: Runtime) -> None:
    with live_rt.transaction() as tx:
        goal, person = make_goal(tx, event("start"), keyword("end")), make.make_person(tx)

    def note() -> None:
        with live_rt.transaction() as tx:
            noticing.happened(tx, "live", [noticing.Happened(person.id, "start", BEGIN + timedelta(hours=23))])

    behind = threading.Thread(target=note)
    with live_rt.sessions() as clock, clock.begin():
        found = zones.behind(clock, "Europe/Berlin")
        assert found is not None
        zones.cut(clock, found, "Europe/Berlin")
        behind.start()
        wait_until(lambda: is_somebody_waiting(live_rt), "a lock that is waited for")
    behind.join()
    with live_rt.transaction() as tx:
        assert [day for _, _, day, *_ in rows(tx, goal)] == [BEGIN.date() + timedelta(days=1)]
        tx.execute(update(Behaviour).values(time_zone="Pacific/Apia"))
    wait_until(lambda: is_through(live_rt), "the clock to cut what is left")
    with live_rt.transaction() as tx:
        assert [day for _, _, day, *_ in rows(tx, goal)] == [BEGIN.date()]


def is_somebody_waiting(rt: Runtime) -> bool:
    with rt.transaction() as session:
        return bool(session.scalar(text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")))


def is_through(rt: Runtime) -> bool:
    """The clock's own zone is UTC."""
    jobs.sweep(rt)
    with rt.transaction() as session:
        left = (Behaviour.time_zone != "UTC") | Behaviour.looked_at.is_(None)
        return session.scalar(select(func.count()).select_from(Behaviour).where(left)) == 0
