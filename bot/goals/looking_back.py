"""A behaviour over what is stored already, a portion at a time: what people did before anybody asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from bot.goals.noticing import Clicked, Happened, Passed, Said, followed, holding, spoken, told, walked
from bot.goals.recording import Done, had_before, record
from bot.goals.watching import Watched
from bot.models.goals import Behaviour, BehaviourKind, Goal

PORTION: Final = 20_000
"""Rows by their ids."""

# Whoever was at work when the behaviour was made knows nothing of it: what they did is looked at once they are through.
_ARE_ALL_DONE = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > :made_in")

_MESSAGES = text("""
    SELECT person_id, number_id, body, occurred_at AS at FROM message
     WHERE id > :first AND id <= :last AND environment = :environment AND direction = 'in' AND body IS NOT NULL
       AND kind NOT IN ('reaction', 'system', 'ephemeral', 'request_welcome')
       AND (CAST(:since AS timestamptz) IS NULL OR created_at >= :since)
""")

# A step that was said has its message, which tells when. One that was answered was so before the next was taken, or, if
# it is the last, when the run ended; a run that failed said nothing of its last turn.
_RUNS = text("""
    SELECT r.person_id, r.journey_id, r.number_id, s.step,
           coalesce(m.occurred_at, r.ended_at, r.started_at) AS at
      FROM journey_run r
      JOIN journey j ON j.id = r.journey_id AND j.name = :journey
     CROSS JOIN (SELECT CAST(:step AS int) - 1 AS step) w
     CROSS JOIN LATERAL (SELECT w.step, (j.spec->'steps'->w.step) ? 'ask' AS asks) s
      LEFT JOIN message m
        ON m.source_key = concat('j:', r.id, ':', CASE WHEN s.asks THEN s.step + 1 ELSE s.step END)
     WHERE r.id > :first AND r.id <= :last AND r.environment = :environment
       AND CASE WHEN s.asks THEN r.step > s.step OR (r.step = s.step AND r.state = 'finished')
                ELSE r.step >= s.step AND m.id IS NOT NULL END
       AND (CAST(:since AS timestamptz) IS NULL OR coalesce(m.occurred_at, r.ended_at, r.started_at) >= :since)
""")

_EVENTS = text("""
    SELECT person_id, name, at FROM person_event
     WHERE id > :first AND id <= :last AND environment = :environment AND name = :event
       AND (CAST(:since AS timestamptz) IS NULL OR created_at >= :since)
""")

_CLICKS = text("""
    SELECT c.person_id, l.name AS link, c.at FROM link_click c JOIN tracked_link l ON l.id = c.link_id
     WHERE c.id > :first AND c.id <= :last AND c.environment = :environment AND l.name = :link AND NOT c.is_preview
       AND (CAST(:since AS timestamptz) IS NULL OR c.at >= :since)
""")

_PEOPLE = text("SELECT id FROM person WHERE id > :first AND id <= :last AND environment = :environment")


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a kind's past is: its table, the rows of a portion, and who of them did it."""

    table: str
    rows: Any
    done: Callable[[Session, Watched, Sequence[Row[Any]]], Sequence[Done]]


def _keyword(_session: Session, sought: Watched, rows: Sequence[Row[Any]]) -> Sequence[Done]:
    return list(spoken([sought], (Said(row.person_id, row.number_id, row.body, row.at) for row in rows)))


def _step(session: Session, sought: Watched, rows: Sequence[Row[Any]]) -> Sequence[Done]:
    runs = [Passed(row.person_id, row.journey_id, row.number_id, {row.step}, row.at) for row in rows]
    return list(walked(session, [sought], runs))


def _event(_session: Session, sought: Watched, rows: Sequence[Row[Any]]) -> Sequence[Done]:
    return list(told([sought], (Happened(row.person_id, row.name, row.at) for row in rows)))


def _link(_session: Session, sought: Watched, rows: Sequence[Row[Any]]) -> Sequence[Done]:
    return list(followed([sought], (Clicked(row.person_id, row.link, row.at) for row in rows)))


def _attribute(session: Session, sought: Watched, rows: Sequence[Row[Any]]) -> Sequence[Done]:
    """Who has it now is known, and not since when: they stand as before the goal, in no period's numbers."""
    had_before(session, sought.environment, sought.id, holding(session, sought, [row.id for row in rows]))
    return ()


SOURCES: Final[Mapping[str, _Source]] = {
    BehaviourKind.KEYWORD: _Source("message", _MESSAGES, _keyword),
    BehaviourKind.STEP: _Source("journey_run", _RUNS, _step),
    BehaviourKind.EVENT: _Source("person_event", _EVENTS, _event),
    BehaviourKind.LINK: _Source("link_click", _CLICKS, _link),
    BehaviourKind.ATTRIBUTE: _Source("person", _PEOPLE, _attribute),
}


def unlooked(session: Session) -> Behaviour | None:
    """The oldest that has to go on and that nobody is at, nor at its goal, which is held before it."""
    waiting = select(Behaviour).where(Behaviour.looked_at.is_(None)).order_by(Behaviour.id).limit(1)
    goal = select(Goal).join(Behaviour).where(Behaviour.looked_at.is_(None)).order_by(Behaviour.id).limit(1)
    held = session.scalar(goal.with_for_update(of=Goal, read=True, key_share=True, skip_locked=True))
    if held is None:
        return None
    return session.scalar(waiting.where(Behaviour.goal_id == held.id).with_for_update(skip_locked=True))


def look(session: Session, behaviour: Behaviour, portion: int = PORTION) -> bool:
    """Look at the next so many rows; False while somebody's transaction from before it is not through."""
    if not session.scalar(_ARE_ALL_DONE, {"made_in": behaviour.made_in}):
        return False
    source = SOURCES[behaviour.kind]
    if behaviour.look_to is None:
        behaviour.look_to = session.scalar(text(f"SELECT coalesce(max(id), 0) FROM {source.table}"))  # noqa: S608 (ours)
    last = min(behaviour.looked_to + portion, behaviour.look_to or 0)
    sought = Watched(behaviour.id, behaviour.environment, behaviour.kind, behaviour.condition, is_looking=True)
    given = {"environment": behaviour.environment, "since": behaviour.since, **behaviour.condition}
    given |= {"first": behaviour.looked_to, "last": last}
    names = source.rows.compile().params.keys()
    rows = session.execute(source.rows, {name: given[name] for name in names}).all()
    record(session, behaviour.environment, source.done(session, sought, rows))
    behaviour.looked_to = last
    if last == behaviour.look_to:
        behaviour.looked_at = func.now()
    session.flush()
    return True


def share(behaviour: Behaviour) -> float:
    """How far it has come, from 0 to 1."""
    if behaviour.looked_at is not None:
        return 1.0
    return behaviour.looked_to / behaviour.look_to if behaviour.look_to else 0.0
