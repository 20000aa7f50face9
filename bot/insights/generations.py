"""The countings there are: the one that pages read, and perhaps one that is being filled to take its place."""

from typing import Final

from sqlalchemy import TextClause, delete, select, text, update
from sqlalchemy.orm import Session

from bot.models.insights import InsightGeneration

EVERYBODY: Final = 2**63 - 1

LOCK: Final = text("SELECT pg_try_advisory_xact_lock(4242008)")
"""Whoever writes totals holds it."""
_AT_ONCE = 50_000


def _deletes(table: str, column: str, wanted: str, of: str = "(VALUES (0)) v(place)", here: str = "true") -> TextClause:
    """A portion of the rows whose value is none of the wanted; `here` holds those of a `place` together in the index.

    From one value to the next, so as to be quick with millions of rows: nearly always all of them are wanted. Rows that
    somebody is at, who began before their generation was dropped, are left to the next time: both could come to wait.
    """
    return text(f"""
        WITH RECURSIVE there AS (
            SELECT place, (SELECT min({column}) FROM {table} WHERE {here}) AS value FROM {of}
            UNION ALL
            SELECT place, (SELECT min({column}) FROM {table} WHERE {here} AND {column} > there.value)
              FROM there WHERE value IS NOT NULL)
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            SELECT gone.ctid
              FROM (SELECT * FROM there WHERE value NOT IN (SELECT id FROM {wanted}) OFFSET 0) there
             CROSS JOIN LATERAL (
                SELECT ctid FROM {table} WHERE {here} AND {column} = there.value
                 LIMIT :at_once FOR UPDATE SKIP LOCKED) gone
             LIMIT :at_once))
    """)  # noqa: S608 (ours)


_TOTALS = ("message_day", "message_hour", "active_day", "active_gap", "fact_day", "response_step", "response_time")
_OF_GOALS = ("goal_span", "goal_span_author", "goal_span_time")
_EACH = "(SELECT id AS place FROM insight_generation) g"
_TIDY = (
    *(_deletes(table, "generation", "insight_generation") for table in (*_TOTALS, *_OF_GOALS)),
    *(_deletes(table, "goal_id", "goal", _EACH, "generation = place") for table in _OF_GOALS),
)


def current(session: Session) -> InsightGeneration | None:
    """What pages read; None until everything was counted once."""
    return session.scalar(select(InsightGeneration).where(InsightGeneration.is_current))


def building(session: Session, time_zone: str) -> InsightGeneration | None:
    """The one that is being filled with days of this zone."""
    query = select(InsightGeneration).where(
        InsightGeneration.is_current.is_(False), InsightGeneration.time_zone == time_zone
    )
    return session.scalar(query.order_by(InsightGeneration.id.desc()).limit(1))


def begin(session: Session, time_zone: str) -> InsightGeneration:
    """An empty one: from its commit on, the triggers count for it whoever has been filled in."""
    made = InsightGeneration(time_zone=time_zone)
    session.add(made)
    session.flush()
    return made


def put_in_place(session: Session, generation_id: int) -> None:
    """Let pages read this one, and drop every other."""
    session.execute(delete(InsightGeneration).where(InsightGeneration.id != generation_id))
    session.execute(update(InsightGeneration).where(InsightGeneration.id == generation_id).values(is_current=True))


def drop(session: Session, generation_id: int) -> None:
    session.execute(delete(InsightGeneration).where(InsightGeneration.id == generation_id))


def drop_unfinished(session: Session) -> None:
    """What a rebuild that was killed has left, or one for a zone that was given up."""
    session.execute(delete(InsightGeneration).where(InsightGeneration.is_current.is_(False)))


def tidy(session: Session) -> int:
    """Delete a portion of the totals of dropped generations and of goals that were removed; how many rows.

    0 also while somebody else does it, or folds: two would wait for each other.
    """
    if not session.scalar(LOCK):
        return 0
    return sum(session.execute(step, {"at_once": _AT_ONCE}).rowcount for step in _TIDY)  # type: ignore[attr-defined]  # of a DELETE
