"""The list of conversations, newest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select, true, tuple_
from sqlalchemy.orm import Session

from bot.conversations.window import WINDOW
from bot.dashboard import kinds, people
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import ConversationState, Direction, Environment

PAGE = 50
STATES = ("open", "closed", "all")


@dataclass(frozen=True, slots=True)
class Item:
    id: int
    name: str
    number: str
    state: str
    unread: int
    last_message_at: datetime
    window_closes_at: datetime | None
    preview: str
    by_us: bool


@dataclass(frozen=True, slots=True)
class Counts:
    open: int
    unread: int
    """Open ones with something unread."""


@dataclass(frozen=True, slots=True)
class Listing:
    items: Sequence[Item]
    more: int | None
    """Id of the last conversation shown, if there are older ones."""
    counts: Counts


def load(session: Session, environment: Environment, state: str, before: int | None = None) -> Listing:
    """`state` is one of STATES; `before` is the `more` of the page before."""
    query = _select(environment)
    if state != "all":
        query = query.where(Conversation.state == state)
    if before is not None:
        edge = session.scalar(select(Conversation.last_message_at).where(Conversation.id == before))
        query = query.where(tuple_(Conversation.last_message_at, Conversation.id) < tuple_(edge, before))
    found = [_item(row) for row in session.execute(query.limit(PAGE + 1))]
    return Listing(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None, counts(session, environment))


def counts(session: Session, environment: Environment) -> Counts:
    counted = select(func.count(), func.count().filter(Conversation.unread_count > 0)).where(
        Conversation.environment == environment, Conversation.state == ConversationState.OPEN
    )
    return Counts(*session.execute(counted).one())


def _select(environment: Environment) -> Select[Any]:
    last = (
        select(Message.direction, Message.kind, Message.body, Message.content, Message.revoked_at)
        .where(Message.person_id == Conversation.person_id, Message.number_id == Conversation.number_id)
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(1)
        .lateral("last")
    )
    return (
        select(
            Conversation,
            people.name().label("person"),
            Number.name.label("number"),
            last.c.direction,
            last.c.kind,
            last.c.body,
            last.c.content,
            last.c.revoked_at,
        )
        .join(Person, Person.id == Conversation.person_id)
        .join(Number, Number.id == Conversation.number_id)
        .join(last, true(), isouter=True)
        .where(Conversation.environment == environment)
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
    )


def _item(row: Row[Any]) -> Item:
    conversation: Conversation = row.Conversation
    by_us = row.direction == Direction.OUT
    heard = conversation.last_inbound_at
    return Item(
        id=conversation.id,
        name=row.person,
        number=row.number,
        state=conversation.state,
        unread=conversation.unread_count,
        last_message_at=conversation.last_message_at,
        window_closes_at=heard + WINDOW if heard else None,
        preview=_preview(row, by_us=by_us),
        by_us=by_us,
    )


def _preview(row: Row[Any], *, by_us: bool) -> str:
    if row.kind is None:
        return ""
    if row.revoked_at is not None:
        return kinds.DELETED
    return kinds.summary(row.kind, row.content, row.body, is_outbound=by_us)[:160]
