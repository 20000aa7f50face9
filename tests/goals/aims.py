"""Goals as tests of them need them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.goals import goals, looking_back
from bot.insights.asking import Filter, Period
from bot.insights.impact import Asked
from bot.models.goals import Behaviour, BehaviourDay, Goal, PersonEvent
from bot.team.audit import COMMAND

NOW = datetime.now(UTC)
DAYS = Period((NOW - timedelta(days=40)).date(), (NOW + timedelta(days=2)).date())


def keyword(*words: str) -> dict[str, Any]:
    return {"name": words[0], "kind": "keyword", "condition": {"words": list(words)}}


def event(name: str) -> dict[str, Any]:
    return {"name": name, "kind": "event", "condition": {"event": name}}


def step(journey: str, number: int) -> dict[str, Any]:
    return {"name": f"step {number}", "kind": "step", "condition": {"journey": journey, "step": number}}


def attribute(of: str, operator: str, value: Any = None) -> dict[str, Any]:
    given = {"of": of, "operator": operator} | ({} if value is None else {"value": value})
    return {"name": of, "kind": "attribute", "condition": given}


def make_goal(
    session: Session,
    start: dict[str, Any],
    completion: dict[str, Any],
    *way: dict[str, Any],
    looks_back: bool = False,
    name: str = "Enrol",
) -> Goal:
    given = {"name": name, "looks_back": looks_back, "start": start, "way": list(way), "completion": completion}
    return goals.create(session, "live", given, COMMAND)


def look_back(session: Session, portion: int = 3) -> None:
    """Through all that is stored; in a test nobody else is at work, and its own transaction is never through.

    A rolled-back test gives no id back, so that those of the tests before it are left out: they would be most of it.
    """
    for behaviour in session.scalars(select(Behaviour).where(Behaviour.looked_at.is_(None))):
        behaviour.made_in = 0
        first = session.scalar(text(f"SELECT min(id) FROM {looking_back.SOURCES[behaviour.kind].table}"))
        behaviour.looked_to = max(behaviour.looked_to, (first or 1) - 1)
        while behaviour.looked_at is None:
            assert looking_back.look(session, behaviour, portion)
            session.refresh(behaviour)


def asked(goal: Goal, period: Period = DAYS, **which: Any) -> Asked:
    return Asked(goal, period, Filter("live", **which))


def done(session: Session, goal: Goal) -> Sequence[tuple[str, int]]:
    """(name of a behaviour, person) of each row there is, by time."""
    rows = (
        select(Behaviour.name, BehaviourDay.person_id)
        .join(Behaviour, Behaviour.id == BehaviourDay.behaviour_id)
        .where(Behaviour.goal_id == goal.id)
        .order_by(BehaviourDay.at, Behaviour.position, BehaviourDay.person_id)
    )
    return [(name, person_id) for name, person_id in session.execute(rows)]


def keep_event(session: Session, person_id: int, name: str, at: datetime) -> None:
    """An event from before anybody looked out for it."""
    session.add(PersonEvent(environment="live", person_id=person_id, name=name, at=at))
    session.flush()
