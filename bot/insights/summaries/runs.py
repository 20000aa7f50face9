"""Each period's summary is one row: made once whoever looks, claimed by one, tried again until it is out."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.connections import alerts
from bot.insights.summaries import problems
from bot.insights.summaries.calendar import Calendar
from bot.models.summary import Summary, SummaryRun
from bot.models.words import Severity, SummaryRhythm

ALERT: Final = "summary.failed"
LEASE: Final = timedelta(minutes=5)
ATTEMPTS: Final = 10
_SOONEST: Final = timedelta(minutes=1)
_LATEST: Final = timedelta(hours=2)


def calendar_of(summary: Summary, zone: ZoneInfo) -> Calendar:
    return Calendar(SummaryRhythm(summary.rhythm), summary.weekday, summary.hour, zone)


def plan(session: Session, zone: ZoneInfo, now: datetime) -> None:
    """A row for whatever has become due. Of several that were missed, by a clock that stood still, the last."""
    due = select(Summary).where(Summary.stopped_at.is_(None), Summary.next_at <= now)
    for summary in session.scalars(due.with_for_update(skip_locked=True)):
        calendar = calendar_of(summary, zone)
        about = calendar.about(calendar.latest(now))
        made = insert(SummaryRun).values(summary_id=summary.id, first=about.first, last=about.last)
        session.execute(
            made.on_conflict_do_nothing(index_elements=["summary_id", "last"], index_where=~SummaryRun.asked)
        )
        summary.next_at = calendar.following(now)


def ask(session: Session, summary: Summary, zone: ZoneInfo, now: datetime) -> None:
    """One for the last whole period, however often it went out already."""
    calendar = calendar_of(summary, zone)
    about = calendar.about(calendar.latest(now))
    session.add(SummaryRun(summary_id=summary.id, first=about.first, last=about.last, asked=True))


def is_due(session: Session, now: datetime) -> bool:
    to_plan = select(Summary.id).where(Summary.stopped_at.is_(None), Summary.next_at <= now)
    to_send = select(SummaryRun.id).join(Summary).where(_waits(now))
    return session.scalar(select(or_(to_plan.exists(), to_send.exists()))) is True


def claim(session: Session, now: datetime) -> tuple[Summary, SummaryRun] | None:
    """One that is to be sent now, ours for a while; with its attempt counted, in case it is what kills us."""
    found = session.execute(
        select(Summary, SummaryRun)
        .join(SummaryRun, SummaryRun.summary_id == Summary.id)
        .where(_waits(now))
        .order_by(SummaryRun.due_at)
        .limit(1)
        .with_for_update(of=SummaryRun, skip_locked=True)
    ).first()
    if found is None:
        return None
    summary, run = found
    run.lease_until, run.attempts = now + LEASE, run.attempts + 1
    return summary, run


def succeed(session: Session, run_id: int) -> None:
    session.execute(
        update(SummaryRun).where(SummaryRun.id == run_id).values(sent_at=func.now(), lease_until=None, problem=None)
    )
    alerts.settle_own(session, ALERT)


def fail(session: Session, run: SummaryRun, problem: str, *, is_final: bool) -> None:
    """Later again, each time after a longer while; what cannot pass, or did not, is told to the operators.

    `problem`: as problems.problem has it.
    """
    gives_up = is_final or run.attempts >= ATTEMPTS
    pause = min(_SOONEST * 2 ** min(run.attempts - 1, 20), _LATEST)
    values = {"problem": problem, "lease_until": None, "due_at": func.now() + pause}
    if gives_up:
        values["given_up_at"] = func.now()
        alerts.tell_own(session, ALERT, Severity.WARNING, problems.alert(problem), {"problem": problem})
    session.execute(update(SummaryRun).where(SummaryRun.id == run.id).values(values))


def _waits(now: datetime) -> ColumnElement[bool]:
    is_open = SummaryRun.sent_at.is_(None) & SummaryRun.given_up_at.is_(None) & (SummaryRun.due_at <= now)
    is_free = SummaryRun.lease_until.is_(None) | (SummaryRun.lease_until < now)
    return is_open & is_free & (Summary.stopped_at.is_(None) | SummaryRun.asked)
