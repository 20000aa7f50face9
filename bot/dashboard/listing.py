"""The list of conversations as a page shows it: a page of rows, the tabs' counts, what it is narrowed by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, func, select, true
from sqlalchemy.orm import Session, aliased

from bot.conversations import finding, labels
from bot.conversations.finding import Asked, Place
from bot.conversations.labels import Tag
from bot.conversations.window import WINDOW
from bot.dashboard import kinds, people
from bot.language import translated
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.message import Message
from bot.models.person import Person
from bot.models.team import Operator
from bot.models.words import ConversationState, Direction, Environment

PAGE = 50


@dataclass(frozen=True, slots=True)
class Item:
    id: int
    name: str
    number: str
    state: str
    unread: int
    last_message_at: datetime
    waiting_since: datetime | None
    window_closes_at: datetime | None
    """Of an open conversation whose window is open."""
    is_shut: bool
    """Open, and the window is closed: only a template gets through."""
    assigned_to: str | None
    assigned_to_id: int | None
    tags: tuple[Tag, ...]
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
    more: str | None
    """Place of the last conversation shown, if there are others after it."""
    counts: finding.Counts


def load(session: Session, asked: Asked, after: Place | None = None) -> Listing:
    """`after` is the `more` of the page before."""
    now = datetime.now(UTC)
    found = session.execute(finding.page(session, asked, now, after, _select()).limit(PAGE + 1)).all()
    shown = found[:PAGE]
    tags = labels.of_many(session, [row.Conversation.id for row in shown])
    more = str(finding.place_of(asked.tab, shown[-1].Conversation)) if len(found) > PAGE else None
    items = [_item(row, now, tags.get(row.Conversation.id, ())) for row in shown]
    return Listing(items, more, finding.counts(session, asked, now))


def counts(session: Session, environment: Environment) -> Counts:
    counted = select(func.count(), func.count().filter(Conversation.unread_count > 0)).where(
        Conversation.environment == environment, Conversation.state == ConversationState.OPEN
    )
    return Counts(*session.execute(counted).one())


@cache
def _select() -> Select[Any]:
    last = (
        select(Message.direction, Message.kind, Message.body, Message.content, Message.revoked_at)
        .where(Message.person_id == Conversation.person_id, Message.number_id == Conversation.number_id)
        .order_by(Message.occurred_at.desc(), Message.id.desc())
        .limit(1)
        .lateral("last")
    )
    owner = aliased(Operator)
    return (
        select(
            Conversation,
            people.name().label("person"),
            Number.name.label("number"),
            owner.name.label("owner"),
            last.c.direction,
            last.c.kind,
            last.c.body,
            last.c.content,
            last.c.revoked_at,
        )
        .join(Person, Person.id == Conversation.person_id)
        .join(Number, Number.id == Conversation.number_id)
        .join(owner, owner.id == Conversation.assigned_to_id, isouter=True)
        .join(last, true(), isouter=True)
    )


def _item(row: Row[Any], now: datetime, tags: Sequence[Tag]) -> Item:
    conversation: Conversation = row.Conversation
    by_us = row.direction == Direction.OUT
    heard, is_open = conversation.last_inbound_at, conversation.state == ConversationState.OPEN
    closes = heard + WINDOW if heard and is_open else None
    return Item(
        id=conversation.id,
        name=row.person,
        number=row.number,
        state=conversation.state,
        unread=conversation.unread_count,
        last_message_at=conversation.last_message_at,
        waiting_since=conversation.waiting_since,
        window_closes_at=closes if closes and closes > now else None,
        is_shut=is_open and (closes is None or closes <= now),
        assigned_to=row.owner,
        assigned_to_id=conversation.assigned_to_id,
        tags=tuple(tags),
        preview=_preview(row, by_us=by_us),
        by_us=by_us,
    )


def _preview(row: Row[Any], *, by_us: bool) -> str:
    if row.kind is None:
        return ""
    if row.revoked_at is not None:
        return translated(kinds.DELETED)
    return kinds.summary(row.kind, row.content, row.body, is_outbound=by_us)[:160]
