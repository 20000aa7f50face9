"""What was sent to one person and what they wrote, newest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select, tuple_
from sqlalchemy.orm import Session

from bot.messages import engagement
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.journey import Journey, Reminder
from bot.models.message import Message, StatusEvent
from bot.models.team import ApiToken, Operator
from bot.models.words import Direction

PAGE = 25


@dataclass(frozen=True, slots=True)
class Entry:
    message: Message
    author: str | None
    """The name of the journey, coach, reminder, program or broadcast."""
    number: str
    template: str | None
    """The name of the template it was made from."""
    clicked: bool
    replied: bool
    answers: int | None
    """Of a message of theirs: the id of ours that it answers."""


@dataclass(frozen=True, slots=True)
class Page:
    entries: Sequence[Entry]
    more: int | None
    """Id of the last one shown, if there are older ones."""


def page(session: Session, person_id: int, direction: Direction, before: int | None = None, size: int = PAGE) -> Page:
    """`before` is the `more` of the page before; one that is not this person's begins anew."""
    query = _select(person_id).where(Message.direction == direction)
    if before is not None:
        edge = select(Message.occurred_at).where(Message.id == before, Message.person_id == person_id)
        if (at := session.scalar(edge)) is not None:
            query = query.where(tuple_(Message.occurred_at, Message.id) < tuple_(at, before))
    newest = query.order_by(Message.occurred_at.desc(), Message.id.desc()).limit(size + 1)
    found = session.execute(newest).all()
    shown = found[:size]
    return Page(_entries(session, person_id, shown), shown[-1].Message.id if len(found) > size else None)


def one(session: Session, person_id: int, message_id: int) -> Entry | None:
    found = session.execute(_select(person_id).where(Message.id == message_id)).all()
    return next(iter(_entries(session, person_id, found)), None)


def reports(session: Session, message: Message) -> Sequence[StatusEvent]:
    """Everything the provider told of a message, as it told it, in the order of its own times."""
    told = select(StatusEvent).where(StatusEvent.message_id == message.id)
    return session.scalars(told.order_by(StatusEvent.occurred_at, StatusEvent.id)).all()


def _select(person_id: int) -> Select[Any]:
    author = func.coalesce(Journey.name, Operator.name, Reminder.name, ApiToken.name, Broadcast.name)
    sent = Message.content["template"]["name"].as_string()
    return (
        select(
            Message,
            author.label("author"),
            Number.name.label("number"),
            func.coalesce(sent, Broadcast.frozen_template["name"].as_string()).label("template"),
        )
        .join(Number, Number.id == Message.number_id)
        .join(Journey, Journey.id == Message.journey_id, isouter=True)
        .join(Operator, Operator.id == Message.operator_id, isouter=True)
        .join(Reminder, Reminder.id == Message.reminder_id, isouter=True)
        .join(ApiToken, ApiToken.id == Message.token_id, isouter=True)
        .join(Broadcast, Broadcast.id == Message.broadcast_id, isouter=True)
        .where(Message.person_id == person_id)
    )


def _entries(session: Session, person_id: int, rows: Sequence[Row[Any]]) -> list[Entry]:
    told = engagement.answers(session, person_id, [row.Message.id for row in rows]) if rows else []
    tapped = {each.answered_id for each in told if each.is_tap}
    replied = {each.answered_id for each in told}
    answers = {each.inbound_id: each.answered_id for each in told}
    return [
        Entry(
            message=row.Message,
            author=row.author,
            number=row.number,
            template=row.template,
            clicked=row.Message.id in tapped,
            replied=row.Message.id in replied,
            answers=answers.get(row.Message.id),
        )
        for row in rows
    ]
