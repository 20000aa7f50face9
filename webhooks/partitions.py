"""Monthly partitions of webhook_event, made before they are needed and dropped when nobody may need them any more."""

from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

_MONTHS_AHEAD = 2
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('backchat.webhook_event.partitions'))")

_OLD = text(r"""
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'webhook_event'::regclass AND c.relname ~ '^webhook_event_\d{4}_\d\d$'
       AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' < now() - make_interval(days => :days)
     ORDER BY c.relname
""")


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


def retire(session: Session, days: int) -> list[str]:
    """Drop the months that ended more than `days` ago; names of what went. A month with an unapplied event stays."""
    session.execute(_LOCK)
    dropped = []
    for name in session.scalars(_OLD, {"days": days}).all():
        if not session.scalar(text(f"SELECT EXISTS (SELECT FROM {name} WHERE state = 'new')")):  # noqa: S608 (our name)
            session.execute(text(f"DROP TABLE {name}"))
            dropped.append(name)
    return dropped


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
