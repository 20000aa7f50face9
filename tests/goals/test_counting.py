"""Goals are counted as things happen: whoever tells them at once, and whatever becomes of the goal."""

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from bot.goals import goals
from bot.goals.recording import Done, record
from bot.insights import generations, goal_sums, jobs, rebuilding
from bot.insights.asking import Period
from bot.insights.goal_sums import Place
from bot.models.goals import Goal
from bot.runtime import Runtime
from bot.team.audit import COMMAND
from tests import factories as make
from tests.goals.aims import event, make_goal
from tests.insights.test_rebuilding import settle

BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARCH = Period(BEGIN.date(), BEGIN.date() + timedelta(days=60))


def set_up(rt: Runtime) -> tuple[int, list[int], int]:
    """Ids of a goal, its behaviours and a person."""
    settle(rt)
    with rt.transaction() as session:
        goal = make_goal(session, event("start"), event("end"))
        return goal.id, [each.id for each in goal.behaviours], make.make_person(session).id


def completed(rt: Runtime, goal_id: int) -> int:
    with rt.sessions() as session:
        current = generations.current(session)
        assert current is not None
        return goal_sums.sums(session, Place(current.id, MARCH, 0), [goal_id])[goal_id].completed


def test_two_who_tell_something_of_one_person_at_once_are_both_counted(live_rt: Runtime) -> None:
    goal_id, (start, end), person_id = set_up(live_rt)

    def tell_end() -> None:
        with live_rt.transaction() as session:
            record(session, "live", [Done(end, person_id, BEGIN + timedelta(days=3))])

    other = threading.Thread(target=tell_end)
    with live_rt.transaction() as session:
        record(session, "live", [Done(start, person_id, BEGIN)])
        other.start()
        other.join(0.3)
    other.join()
    assert completed(live_rt, goal_id) == 1
    assert rebuilding.rebuild(live_rt).differences == []
    assert completed(live_rt, goal_id) == 1


def test_what_was_counted_of_a_goal_wrongly_is_told_and_goes_with_the_goal(live_rt: Runtime) -> None:
    goal_id, (start, end), person_id = set_up(live_rt)
    with live_rt.transaction() as session:
        record(session, "live", [Done(start, person_id, BEGIN), Done(end, person_id, BEGIN + timedelta(hours=2))])
    jobs.sweep(live_rt)
    with live_rt.transaction() as session:
        session.execute(
            text("UPDATE goal_span SET people = 7 WHERE part = 'went_on' AND since_level + until_level = 0")
        )
    [line] = rebuilding.rebuild(live_rt, only_check=True).differences or ()
    assert line.startswith(f"goals goal_id {goal_id} number_id 0 since_level 0 until_level 0 since 2026-03-02")
    assert line.endswith("went_on behaviour_id 0 step -1: people 7, anew 1")
    with live_rt.transaction() as session:
        goals.remove(session, session.get_one(Goal, goal_id), COMMAND)
    assert rebuilding.rebuild(live_rt, only_check=True).differences == []
    jobs.sweep(live_rt)
    with live_rt.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM goal_span")) == 0


def test_whoever_is_deleted_is_counted_no_more(live_rt: Runtime) -> None:
    goal_id, (start, end), person_id = set_up(live_rt)
    with live_rt.transaction() as session:
        record(session, "live", [Done(start, person_id, BEGIN), Done(end, person_id, BEGIN + timedelta(hours=2))])
    jobs.sweep(live_rt)
    assert completed(live_rt, goal_id) == 1
    with live_rt.transaction() as session:
        session.execute(text("DELETE FROM person WHERE id = :id"), {"id": person_id})
    assert completed(live_rt, goal_id) == 0
    assert rebuilding.rebuild(live_rt, only_check=True).differences == []
