"""Monthly partitions of webhook_event, made before they are needed."""

from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

_MONTHS_AHEAD = 2
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('backchat.webhook_event.partitions'))")


def ensure(session: Session) -> None:
    """Make the partitions of this month and the next two where they are missing; safe to run at any time, by many."""
    if _missing(session):
        session.execute(_LOCK)
        for first in _missing(session):
            # Made from dates of our own, and DDL takes no parameters.
            session.execute(
                text(
                    f"CREATE TABLE IF NOT EXISTS {_name(first)} PARTITION OF webhook_event"
                    f" FOR VALUES FROM ('{first} 00:00+00') TO ('{_next_month(first)} 00:00+00')"
                )
            )


def _missing(session: Session) -> list[date]:
    today = session.execute(text("SELECT (now() AT TIME ZONE 'UTC')::date")).scalar_one()
    months = [today.replace(day=1)]
    for _ in range(_MONTHS_AHEAD):
        months.append(_next_month(months[-1]))
    query = text("SELECT n FROM unnest(CAST(:names AS text[])) AS n WHERE to_regclass(n) IS NULL")
    missing = set(session.scalars(query, {"names": [_name(first) for first in months]}))
    return [first for first in months if _name(first) in missing]


def _name(first: date) -> str:
    return f"webhook_event_{first:%Y_%m}"


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)
