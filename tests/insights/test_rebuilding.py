"""Everything can be counted anew while messages come and go, and what was counted wrong is told and put right."""

import threading
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, func, select, text

from bot.insights import active, filling, generations, jobs, rebuilding, volume
from bot.insights.asking import Filter, Period, Question
from bot.models.connection import Number
from bot.models.insights import InsightGeneration, MessageDay
from bot.models.message import Message
from bot.models.person import Person
from bot.runtime import Runtime
from tests import factories as make
from tests.harness.children import wait_until
from tests.insights.history import BEGIN

WEEK = Period(BEGIN.date(), BEGIN.date() + timedelta(days=7))


def settle(rt: Runtime) -> None:
    """As the clock does, until there is nothing left to fill or fold."""

    def is_filled() -> bool:
        jobs.sweep(rt)
        with rt.sessions() as session:
            found = generations.current(session)
            return found is not None and found.time_zone == rt.settings.time_zone

    wait_until(is_filled, "everything to be counted")


def some_people(rt: Runtime, count: int, messages: int = 3) -> tuple[int, list[int]]:
    with rt.transaction() as session:
        number = make.make_number(session)
        people = [make.make_person(session) for _ in range(count)]
        for n in range(count * messages):
            make.make_inbound(session, people[n % count], number, occurred_at=BEGIN + timedelta(hours=7 * n % 150))
        return number.id, [person.id for person in people]


def received(rt: Runtime) -> tuple[int, int]:
    """Messages, and people who wrote them."""
    with rt.sessions() as session:
        question = Question(session, WEEK, Filter("live"))
        return volume.volume(question).received, active.active(question).people


def test_the_clock_counts_what_was_said_before_there_was_insights(live_rt: Runtime) -> None:
    some_people(live_rt, 70)
    settle(live_rt)
    assert received(live_rt) == (210, 70)


def test_a_rebuild_amid_traffic_finds_no_difference(live_rt: Runtime) -> None:
    number_id, people = some_people(live_rt, 60)
    settle(live_rt)
    over, said = threading.Event(), list[int]()

    def talk() -> None:
        while not over.is_set():
            with live_rt.transaction() as session:
                person, number = session.get_one(Person, people[len(said) % 60]), session.get_one(Number, number_id)
                at = BEGIN + timedelta(hours=len(said) % 150)
                make.make_inbound(session, person, number, occurred_at=at)
                make.make_outbound(session, person, number, state="accepted", occurred_at=at, accepted_at=at)
            said.append(1)
            with live_rt.transaction() as session:
                session.execute(text("UPDATE message SET delivery_level = 3 WHERE direction = 'out'"))
                session.execute(
                    text("UPDATE message SET person_id = :a WHERE person_id = :b AND id % 3 = 0"),
                    {"a": people[len(said) % 60], "b": people[(7 * len(said)) % 60]},
                )

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        found = [rebuilding.rebuild(live_rt, only_check=n < 2).differences for n in range(4)]
    finally:
        over.set()
        talker.join()
    assert said
    assert found == [[], [], [], []]
    assert received(live_rt)[0] == 180 + len(said)
    assert rebuilding.rebuild(live_rt).differences == []


def test_tidying_waits_for_nobody_who_still_counts_for_what_is_dropped(live_rt: Runtime) -> None:
    some_people(live_rt, 3)
    settle(live_rt)
    with live_rt.transaction() as session:
        session.execute(delete(InsightGeneration))
    with live_rt.sessions() as counting, live_rt.transaction() as session:
        counting.execute(text("SELECT FROM active_day LIMIT 1 FOR UPDATE"))
        session.execute(text("SET LOCAL lock_timeout = '5s'"))
        assert generations.tidy(session) > 0
        assert session.scalar(text("SELECT count(*) FROM active_day")) == 1
    with live_rt.transaction() as session:
        assert generations.tidy(session) == 1


def test_what_was_counted_wrong_is_told_with_its_place_and_put_right(live_rt: Runtime) -> None:
    number_id, _ = some_people(live_rt, 3)
    settle(live_rt)
    with live_rt.transaction() as session:
        day = session.scalar(select(func.min(MessageDay.day)))
        session.execute(
            text("UPDATE message_day SET received = received + 9 WHERE day = :day AND level = 1"), {"day": day}
        )
    [line] = rebuilding.rebuild(live_rt, only_check=True).differences or ()
    assert line == f"messages live number_id {number_id} level 1 {day}  author_id 0: received {4 + 9}, anew 4"
    assert rebuilding.rebuild(live_rt).differences == [line]
    assert rebuilding.rebuild(live_rt).differences == []


def test_a_portion_waits_for_a_message_that_is_being_written_and_makes_nobody_else_wait(live_rt: Runtime) -> None:
    number_id, people = some_people(live_rt, 2)
    settle(live_rt)
    with live_rt.transaction() as session:
        made = generations.begin(session, "UTC").id
    with live_rt.sessions() as writer:
        make.make_inbound(
            writer, writer.get_one(Person, people[0]), writer.get_one(Number, number_id), occurred_at=BEGIN
        )
        with live_rt.sessions() as session:
            assert filling.fill(session, session.get_one(InsightGeneration, made), 100) is None
            session.rollback()
        writer.commit()
    assert jobs.fill(live_rt, made, 60)
    with live_rt.transaction() as session:
        assert filling.finish(session, made)
        assert not filling.finish(session, made)
        generations.put_in_place(session, made)
    assert received(live_rt) == (7, 2)


def test_another_zone_is_counted_anew_by_the_clock_and_read_once_it_is_complete(live_rt: Runtime) -> None:
    some_people(live_rt, 5)
    settle(live_rt)
    with live_rt.sessions() as session:
        volume_in_utc = [row.received for row in volume.volume(Question(session, WEEK, Filter("live"))).rows]
    moved = replace(live_rt, settings=replace(live_rt.settings, time_zone="Pacific/Auckland"))
    assert rebuilding.rebuild(moved, only_check=True).differences is None
    settle(moved)
    with live_rt.sessions() as session:
        days = [row.received for row in volume.volume(Question(session, WEEK, Filter("live"))).rows]
        assert session.scalars(select(InsightGeneration.time_zone)).all() == ["Pacific/Auckland"]
    assert sum(days) == sum(volume_in_utc) == 15
    assert days != volume_in_utc


def test_what_a_killed_rebuild_left_is_dropped_and_its_rows_deleted(live_rt: Runtime) -> None:
    some_people(live_rt, 5)
    settle(live_rt)
    with live_rt.transaction() as session:
        made = generations.begin(session, "UTC").id
    assert jobs.fill(live_rt, made, 60)
    jobs.sweep(live_rt)
    with live_rt.sessions() as session:
        assert made not in session.scalars(select(InsightGeneration.id)).all()
        assert session.scalar(select(func.count()).where(MessageDay.generation == made)) == 0
        assert session.scalar(select(func.count()).select_from(Message)) == 15
