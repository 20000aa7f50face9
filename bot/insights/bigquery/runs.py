"""When the tables go to BigQuery, who is at it, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Update, delete, func, null, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.connections import alerts
from bot.insights.bigquery import problems
from bot.insights.bigquery.problems import ProblemError
from bot.models.bigquery import BigqueryRun, BigqueryTable
from bot.models.words import Severity
from bot.settings import Settings
from bot.team import audit
from bot.team.audit import Action, By

ALERT: Final = "bigquery.failed"
LEASE: Final = timedelta(minutes=3)
"""Longer than a step takes; each step begins it anew."""
TOLERATED: Final = 3
"""Failures in a row that pass by themselves before anybody is told."""
_SOONEST_S: Final = 15
_LATEST_S: Final = 3600
_KEPT: Final = timedelta(days=90)

_NOW = func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class Status:
    destination: str
    is_whole: bool
    """Names, numbers and texts go along."""
    last: BigqueryRun | None
    """The last that went through."""
    under_way: BigqueryRun | None
    tables_done: int
    """Of the one under way."""
    is_asked: bool
    """The next one begins at once."""
    next_at: datetime | None
    """None: at once."""


def is_time(session: Session, destination: str, hours: int) -> bool:
    """Whether none is under way, and the last began so many hours ago, or somebody has asked for the next."""
    latest = _latest(session, destination)
    if latest is None:
        return True
    if latest.finished_at is None:
        return False
    if latest.asked_at is not None:
        return True
    is_past = select(latest.started_at + timedelta(hours=hours) <= _NOW)
    return bool(session.scalar(is_past))


def ask(session: Session, destination: str, by: By) -> None:
    """What waits goes on at once, and after it comes another with all that has changed until now."""
    audit.note(session, by, Action.EXPORT_ASKED, f"bigquery {destination}")
    latest = _latest(session, destination)
    if latest is not None:
        at_once = func.least(BigqueryRun.due_at, _NOW)
        session.execute(update(BigqueryRun).where(BigqueryRun.id == latest.id).values(asked_at=_NOW, due_at=at_once))


def begin(session: Session, destination: str, cluster: str, oldest: int) -> None:
    """With the mark of now; one that is under way is the one that is wanted."""
    made = insert(BigqueryRun).values(destination=destination, cluster=cluster, oldest=oldest)
    is_open = text("finished_at IS NULL")
    session.execute(made.on_conflict_do_nothing(index_elements=["destination"], index_where=is_open))


def is_due(session: Session, destination: str) -> bool:
    return session.scalar(select(select(BigqueryRun.id).where(*_waiting(destination)).exists())) is True


def claim(session: Session, destination: str, *, is_asked: bool = False) -> BigqueryRun | None:
    """The run that waits, for a while ours; `is_asked`: whatever moment it was put off to."""
    which = _waiting(destination)[:2] if is_asked else _waiting(destination)
    found = select(BigqueryRun.id).where(*which).with_for_update(skip_locked=True)
    return session.scalar(
        update(BigqueryRun)
        .where(BigqueryRun.id == found.scalar_subquery())
        .values(lease_until=_NOW + LEASE)
        .returning(BigqueryRun)
    )


def keep(session: Session, run_id: int) -> None:
    """Still ours."""
    session.execute(_open(run_id).values(lease_until=_NOW + LEASE))


def put_down(session: Session, run_id: int) -> None:
    """There is more to do; whoever comes next goes on."""
    session.execute(_open(run_id).values(lease_until=None, due_at=_NOW))


def succeed(session: Session, run_id: int) -> None:
    """Something arrived: what failed before is over."""
    session.execute(_open(run_id).where(BigqueryRun.failures > 0).values(failures=0, problem=null()))


def finish(session: Session, run_id: int, destination: str) -> None:
    session.execute(_open(run_id).values(finished_at=_NOW, lease_until=None, failures=0, problem=null()))
    session.execute(
        delete(BigqueryRun).where(BigqueryRun.destination == destination, BigqueryRun.finished_at < _NOW - _KEPT)
    )
    alerts.settle_own(session, ALERT)


def fail(session: Session, run_id: int, problem: ProblemError) -> None:
    """Put it off, each time for longer; tell the operators, unless it may pass by itself."""
    failures = session.scalar(select(BigqueryRun.failures).where(BigqueryRun.id == run_id)) or 0
    pause = min(_SOONEST_S * 2 ** min(failures, 20), _LATEST_S)
    values = {"failures": failures + 1, "problem": problem.as_data, "due_at": _NOW + timedelta(seconds=pause)}
    session.execute(_open(run_id).values(lease_until=None, **values))
    if not problem.is_passing or failures + 1 >= TOLERATED:
        alerts.tell_own(session, ALERT, Severity.WARNING, problems.alert(problem.as_data), problem.as_data)


def status(session: Session, settings: Settings) -> Status | None:
    """None where nothing is to be sent."""
    destination = settings.bigquery_destination
    if destination is None:
        return None
    last = session.scalar(
        select(BigqueryRun)
        .where(BigqueryRun.destination == destination, BigqueryRun.finished_at.is_not(None))
        .order_by(BigqueryRun.id.desc())
        .limit(1)
    )
    latest = _latest(session, destination)
    under_way = latest if latest is not None and latest.finished_at is None else None
    again_at = None if last is None else last.started_at + timedelta(hours=settings.bigquery_hours)
    is_asked = latest is not None and latest.asked_at is not None
    if is_asked and under_way is None:
        again_at = None
    return Status(
        destination,
        is_whole=settings.bigquery_people == "whole",
        last=last,
        under_way=under_way,
        tables_done=0 if under_way is None else _tables_done(session, under_way),
        is_asked=is_asked,
        next_at=again_at if under_way is None else under_way.due_at,
    )


def _tables_done(session: Session, run: BigqueryRun) -> int:
    mine = (BigqueryTable.destination == run.destination, BigqueryTable.run_id == run.id, BigqueryTable.is_done)
    return session.scalars(select(func.count()).select_from(BigqueryTable).where(*mine)).one()


def _latest(session: Session, destination: str) -> BigqueryRun | None:
    found = select(BigqueryRun).where(BigqueryRun.destination == destination)
    return session.scalar(found.order_by(BigqueryRun.id.desc()).limit(1))


def _waiting(destination: str) -> Sequence[ColumnElement[bool]]:
    is_free = or_(BigqueryRun.lease_until.is_(None), BigqueryRun.lease_until < _NOW)
    mine = (BigqueryRun.destination == destination) & BigqueryRun.finished_at.is_(None)
    return (mine, is_free, BigqueryRun.due_at <= _NOW)


def _open(run_id: int) -> Update:
    return update(BigqueryRun).where(BigqueryRun.id == run_id, BigqueryRun.finished_at.is_(None))
