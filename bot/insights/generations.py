"""The countings there are: the one that pages read, and perhaps one that is being filled to take its place."""

from typing import Final

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from bot.models.insights import InsightGeneration

EVERYBODY: Final = 2**63 - 1

_AT_ONCE = 50_000
_TIDY = tuple(
    text(f"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {table} WHERE generation NOT IN (SELECT id FROM insight_generation) LIMIT :at_once))
    """)  # noqa: S608 (ours)
    for table in (
        "message_day",
        "message_hour",
        "active_day",
        "active_gap",
        "fact_day",
        "response_step",
        "response_time",
    )
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
    """Delete a portion of the totals of dropped generations; how many rows."""
    return sum(session.execute(step, {"at_once": _AT_ONCE}).rowcount for step in _TIDY)  # type: ignore[attr-defined]  # of a DELETE
