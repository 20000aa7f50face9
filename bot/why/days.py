"""A person's day: every message to them, and every one that was due to somebody and did not come to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from bot.language import _, later
from bot.models.broadcast import Broadcast
from bot.models.journey import Reminder
from bot.models.message import Message
from bot.models.person import Person
from bot.models.segment import SegmentMember
from bot.models.words import Direction, ReminderState
from bot.why import chains
from bot.why.steps import Chain, Check, Evidence, Finding, Verdict, passed, stopped, waiting, walk

MOST = 50
"""Messages, broadcasts and reminders of one day that are looked into, each."""


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    since: datetime
    until: datetime
    made: Sequence[Chain]
    """Every outbound message, whether it was sent or kept back, the first first."""
    missing: Sequence[Chain]
    """Broadcasts launched and reminders due that day of which there is no message; those meant for them first."""
    is_cut: bool
    """Whether there was more than MOST of something."""
    before: datetime | None
    """When the last message to them was made before that day, …"""
    after: datetime | None
    """… and the first one after it."""


def of_day(session: Session, person: Person, day: date, zone: ZoneInfo) -> Day:
    since = datetime.combine(day, time.min, zone)
    until = datetime.combine(day + timedelta(days=1), time.min, zone)
    ours = (Message.person_id == person.id, Message.direction == Direction.OUT)
    within = (Message.occurred_at >= since, Message.occurred_at < until)
    made = session.scalars(
        select(Message.id).where(*ours, *within).order_by(Message.occurred_at, Message.id).limit(MOST + 1)
    ).all()
    launched = _launched(session, person, since, until)
    due = _due(session, person, since, until)
    missing = [chains.of_broadcast(session, person, broadcast_id) for broadcast_id in launched[:MOST]]
    missing += list(_reminded(session, person, due[:MOST]))
    newest = select(Message.occurred_at).where(*ours, Message.occurred_at < since)
    oldest = select(Message.occurred_at).where(*ours, Message.occurred_at >= until)
    return Day(
        day=day,
        since=since,
        until=until,
        made=[chains.of_message(session, person, message_id) for message_id in made[:MOST]],
        missing=sorted(missing, key=_is_foreign),
        is_cut=max(len(made), len(launched), len(due)) > MOST,
        before=session.scalar(newest.order_by(Message.occurred_at.desc()).limit(1)),
        after=session.scalar(oldest.order_by(Message.occurred_at).limit(1)),
    )


def _is_foreign(chain: Chain) -> bool:
    """Whether it was not meant for them in the first place."""
    return chain.last is not None and chain.last.key == "segment"


def _launched(session: Session, person: Person, since: datetime, until: datetime) -> Sequence[int]:
    """Broadcasts of that day without a message to them, the first first."""
    has_message = exists().where(Message.broadcast_id == Broadcast.id, Message.person_id == person.id)
    query = select(Broadcast.id).where(
        Broadcast.environment == person.environment,
        Broadcast.launched_at >= since,
        Broadcast.launched_at < until,
        ~has_message,
    )
    return session.scalars(query.order_by(Broadcast.launched_at, Broadcast.id).limit(MOST + 1)).all()


def _due(session: Session, person: Person, since: datetime, until: datetime) -> Sequence[Reminder]:
    """Reminders of that day to them or to a segment of theirs, without a message to them."""
    has_message = exists().where(Message.reminder_id == Reminder.id, Message.person_id == person.id)
    is_theirs: ColumnElement[bool] = or_(
        Reminder.person_id == person.id,
        exists().where(SegmentMember.segment_id == Reminder.segment_id, SegmentMember.person_id == person.id),
    )
    query = select(Reminder).where(
        Reminder.environment == person.environment,
        Reminder.due_at >= since,
        Reminder.due_at < until,
        is_theirs,
        ~has_message,
    )
    return session.scalars(query.order_by(Reminder.due_at, Reminder.id).limit(MOST + 1)).all()


@dataclass(frozen=True, slots=True)
class _Due:
    reminder: Reminder
    joined_at: datetime | None


def _reminded(session: Session, person: Person, due: Sequence[Reminder]) -> Iterator[Chain]:
    for reminder in due:
        member = session.get(SegmentMember, (reminder.segment_id, person.id)) if reminder.segment_id else None
        steps = walk(_REMINDER, _Due(reminder, member.added_at if member else None))
        last = steps[-1]
        told = last.told if last.verdict is Verdict.WAITING else _("Nothing was sent. %(told)s", told=last.told)
        yield Chain(_("Reminder · %(name)s", name=reminder.name), told, last.verdict, steps, at=reminder.due_at)


def _due_at(case: _Due) -> Finding:
    reminder = case.reminder
    return passed(
        _("It was due that day."), Evidence(f"reminder {reminder.id}", "due", reminder.due_at), at=reminder.due_at
    )


def _fired(case: _Due) -> Finding:
    reminder = case.reminder
    row = Evidence(f"reminder {reminder.id}", reminder.state, reminder.fired_at)
    match reminder.state:
        case ReminderState.SCHEDULED:
            return waiting("It is still to come.", "If its time is past, see that `backchat clock` runs.", row)
        case ReminderState.CANCELLED:
            return stopped("It was cancelled before its time.", "Set another one if it is still wanted.", row)
        case ReminderState.MISSED:
            return stopped("The clock was not running at its time, and it came too late.", "Set it anew.", row)
    joined = Evidence("segment_member", _("joined the segment"), case.joined_at)
    return stopped(
        _("They were not in its segment when it was sent."), _("Send them a reminder of their own."), row, joined
    )


_REMINDER: tuple[Check, ...] = (("due", later("Due that day?"), _due_at), ("fired", later("Sent at its time?"), _fired))
