"""Messages to a person or a segment at a time: written down by the team, fired by the clock exactly once.

The row is the truth. Claiming what is due, composing its messages and marking it fired are one transaction, so a crash
leaves all or nothing, and two clocks never hold the same row; see docs/journeys.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.journeys import reminding
from bot.journeys.reminding import Addressed
from bot.messages import personalise, templates
from bot.messages.compose import Author, compose
from bot.models.broadcast import Template
from bot.models.connection import Number
from bot.models.journey import Reminder
from bot.models.person import Person
from bot.models.segment import Segment
from bot.models.words import AuthorKind, ReminderState
from bot.people.segments import people_in

GRACE: Final = timedelta(hours=1)
"""How late a reminder may still go out; later than that, it is listed as missed."""
PRIORITY: Final = 5
"""After replies, which somebody waits for, and before broadcasts."""

_JUST_PAST: Final = timedelta(minutes=1)
_AT_ONCE: Final = 2_000
_PEOPLE_AT_ONCE: Final = 5_000


class ReminderError(ValueError):
    """A reminder that cannot be kept: every problem, one a line, with the remedy."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A reminder to be: for a person or a segment, a text or a template with its slots' texts."""

    name: str
    due_at: datetime
    person_id: int | None = None
    segment_id: int | None = None
    text: str | None = None
    template_id: int | None = None
    slots: Mapping[str, str] | None = None


def add(session: Session, number: Number, wanted: Wanted, *, operator_id: int | None = None) -> Reminder:
    """Write a reminder down; raises ReminderError. It fires at `due_at`, whatever zone that is told in."""
    if problems := [
        *_time_problems(wanted),
        *_people_problems(session, number, wanted),
        *_words(session, number, wanted),
    ]:
        raise ReminderError("\n".join(problems))
    reminder = Reminder(
        environment=number.environment,
        name=wanted.name.strip(),
        number_id=number.id,
        person_id=wanted.person_id,
        segment_id=wanted.segment_id,
        text=wanted.text if wanted.template_id is None else orjson.dumps(dict(wanted.slots or {})).decode(),
        template_id=wanted.template_id,
        due_at=wanted.due_at.astimezone(UTC),
        state=ReminderState.SCHEDULED,
        created_by_operator_id=operator_id,
    )
    session.add(reminder)
    session.flush()
    return reminder


def cancel(session: Session, reminder_id: int) -> bool:
    """False if it has fired, was missed or cancelled already: then there is nothing left to cancel."""
    cancelled = (
        update(Reminder)
        .where(Reminder.id == reminder_id, Reminder.state == ReminderState.SCHEDULED)
        .values(state=ReminderState.CANCELLED)
        .returning(Reminder.id)
    )
    return session.scalar(cancelled) is not None


def fire_due(session: Session) -> int:
    """Compose the messages of what is due now, some 2,000 reminders at a time; how many messages.

    Ring "send" after the commit, and call again while there are any.
    """
    late = (func.now() - Reminder.due_at > GRACE).label("late")
    due = (
        select(Reminder, late)
        .where(Reminder.state == ReminderState.SCHEDULED, Reminder.due_at <= func.now())
        .order_by(Reminder.due_at, Reminder.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True, of=Reminder)
    )
    rows = session.execute(due).all()
    _settle(session, [row.Reminder.id for row in rows if row.late], ReminderState.MISSED)
    on_time = sorted((row.Reminder for row in rows if not row.late), key=lambda reminder: reminder.number_id)
    composed = 0
    for number_id, reminders in groupby(on_time, key=lambda reminder: reminder.number_id):
        number = session.get_one(Number, number_id)
        for addressed in _batches(session, reminders):
            authors = [Author(AuthorKind.REMINDER, reminder.id) for reminder, _ in addressed]
            drafts = reminding.drafts(session, number, addressed)
            composed += len(compose(session, number, authors, drafts, priority=PRIORITY))
    _settle(session, [reminder.id for reminder in on_time], ReminderState.FIRED)
    return composed


def _settle(session: Session, ids: list[int], state: ReminderState) -> None:
    if ids:
        fired_at = func.now() if state is ReminderState.FIRED else None
        session.execute(update(Reminder).where(Reminder.id.in_(ids)).values(state=state, fired_at=fired_at))


def _batches(session: Session, reminders: Iterable[Reminder]) -> Iterator[list[Addressed]]:
    """A segment may hold a million people: never more than 5,000 in hand."""
    batch: list[Addressed] = []
    for addressed in _addressed(session, reminders):
        batch.append(addressed)
        if len(batch) == _PEOPLE_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _addressed(session: Session, reminders: Iterable[Reminder]) -> Iterator[Addressed]:
    for reminder in reminders:
        if reminder.person_id is not None:
            yield reminder, reminder.person_id
        elif reminder.segment_id is not None:
            for person_id in _members(session, reminder.segment_id):
                yield reminder, person_id


def _members(session: Session, segment_id: int) -> Iterator[int]:
    ids = people_in(session, session.get_one(Segment, segment_id)).subquery()
    page = select(ids.c[0]).order_by(ids.c[0]).limit(_PEOPLE_AT_ONCE)
    last = 0
    while found := session.scalars(page.where(ids.c[0] > last)).all():
        yield from found
        last = found[-1]


def _time_problems(wanted: Wanted) -> Iterator[str]:
    if not wanted.name.strip():
        yield "The reminder has no name. Give it one, so that others know it in a list."
    if wanted.due_at.utcoffset() is None:
        yield "The time says no zone. Write it with one: 2030-03-01T09:00:00+02:00."
    elif wanted.due_at < datetime.now(UTC) - _JUST_PAST:
        yield "The time is past. Choose one to come."


def _people_problems(session: Session, number: Number, wanted: Wanted) -> Iterator[str]:
    if (wanted.person_id is None) == (wanted.segment_id is None):
        yield "A reminder is for one person or one segment. Name one of the two."
    addressees = (
        ("person", wanted.person_id, select(Person.environment).where(Person.id == wanted.person_id)),
        ("segment", wanted.segment_id, select(Segment.environment).where(Segment.id == wanted.segment_id)),
    )
    for kind, id_, its_environment in addressees:
        environment = session.scalar(its_environment)
        if id_ is not None and environment is None:
            yield f"There is no {kind} {id_}. Look it up again."
        elif id_ is not None and environment != number.environment:
            yield f"The {kind} is {environment}, the number {number.environment}. Choose both of one environment."


def _words(session: Session, number: Number, wanted: Wanted) -> Iterator[str]:
    if (wanted.text is None) == (wanted.template_id is None):
        yield "A reminder says a text or a template. Give one of the two."
    if wanted.text is not None:
        yield from personalise.problems(wanted.text)
        if not wanted.text.strip():
            yield "The text is blank. Write what the person will read."
        if wanted.slots:
            yield "Slots belong to a template. Name the template, or leave the slots out."
    if wanted.template_id is None:
        return
    template = session.get(Template, wanted.template_id)
    if template is None or template.connection_id != number.connection_id:
        yield "The number's account has no such template. Choose one of its own."
    elif template.status.upper() != "APPROVED":
        yield f"The template {template.name} is {template.status.lower()}. Choose an approved one."
    else:
        yield from templates.check_slots(template.components, wanted.slots or {})
