"""The log of sends: every outbound message of an environment, the newest first, a page at a time.

A page looks back over LOOK_BACK messages and then offers to go on, so that it answers as quickly with five million
messages as with five; what an index leads to (a broadcast, a person, a time, all of Test) begins at once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal_column, select, text
from sqlalchemy.orm import Session

from bot.db import first_since
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.journey import Journey, Reminder
from bot.models.message import Message
from bot.models.person import Person
from bot.models.team import ApiToken, Operator
from bot.models.words import Direction, Environment, MessageState

PAGE = 50
LOOK_BACK = 150_000
"""Messages, both ways, that one page looks at where no index leads to those wanted."""
_OUT_OF_STEP = timedelta(minutes=5)
"""Ids and times rise together, but for what different processes wrote at the same moment."""

# A broadcast's messages are made together: between its first and its last there are few others.
_SPAN = text("""
    SELECT min(ends.lowest), max(ends.highest)
      FROM unnest(CAST(:states AS text[])) AS s(state) CROSS JOIN LATERAL (
        SELECT (SELECT id FROM message WHERE broadcast_id = :id AND state = s.state ORDER BY id LIMIT 1) AS lowest,
               (SELECT id FROM message WHERE broadcast_id = :id AND state = s.state ORDER BY id DESC LIMIT 1) AS highest
        ) AS ends
""").bindparams(states=[state.value for state in MessageState])


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show; None is everything. Times are when the message was written down, `until` not included."""

    environment: str
    state: str | None = None
    author_kind: str | None = None
    broadcast_id: int | None = None
    number_id: int | None = None
    people: Sequence[int] | None = None
    """Ids of those it was for; nobody, and there is nothing to show."""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """The `more` of the page before."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row[Message, Person, str, str]]
    """Message, Person, number (name), author (name)."""
    more: int | None
    looked_back_to: datetime | None = None
    """How far this page looked before it gave up; there may be more beyond."""


def load(session: Session, wanted: Wanted, size: int = PAGE) -> Page:
    ids = session.scalars(_matching(session, wanted).limit(size + 1)).all()
    rows = _shown(session, ids[:size])
    if len(ids) > size:
        return Page(rows, ids[size - 1])
    slice_ = _slice(session, wanted).subquery()
    seen = session.execute(select(func.count(), func.min(slice_.c.id), func.min(slice_.c.created_at))).one()
    return Page(rows, seen[1], seen[2]) if seen[0] == LOOK_BACK else Page(rows, None)


def every(
    transaction: Callable[[], AbstractContextManager[Session]], wanted: Wanted, size: int = 2000
) -> Iterator[Row[Message, Person, str, str]]:
    """All there are from `before` on, however far back; a transaction for each page, so a slow reader holds none."""
    more = wanted.before
    while True:
        with transaction() as session:
            page = load(session, replace(wanted, before=more), size)
        yield from page.rows
        if page.more is None:
            return
        more = page.more


def _matching(session: Session, wanted: Wanted) -> Select[int]:
    slice_ = _slice(session, wanted).subquery()
    query = select(slice_.c.id).order_by(slice_.c.id.desc())
    same: dict[str, object] = {
        "environment": wanted.environment,
        "direction": Direction.OUT.value,
        "number_id": wanted.number_id,
        "state": wanted.state,
        "author_kind": wanted.author_kind,
    }
    for name, value in same.items():
        if value is not None:
            query = query.where(slice_.c[name] == value)
    if wanted.since is not None:
        query = query.where(slice_.c.created_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(slice_.c.created_at < wanted.until)
    return query


def _slice(session: Session, wanted: Wanted) -> Select[Any]:
    """The newest LOOK_BACK messages that an index leads to."""
    names = ("id", "environment", "direction", "number_id", "state", "author_kind", "created_at")
    query = select(*(getattr(Message, name) for name in names))
    return query.where(*_led_to(session, wanted)).order_by(Message.id.desc()).limit(LOOK_BACK)


def _led_to(session: Session, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.broadcast_id is not None:
        lowest, highest = session.execute(_SPAN, {"id": wanted.broadcast_id}).one()
        yield Message.broadcast_id == wanted.broadcast_id
        yield Message.id.between(lowest or 0, highest or 0)
    if wanted.people is not None:
        yield Message.person_id.in_(wanted.people)
    if wanted.environment == Environment.TEST:
        # As literals, or PostgreSQL could not know that the partial index holds what is asked for.
        yield Message.environment == literal_column("'test'")
        yield Message.direction == literal_column("'out'")
    if wanted.before is not None:
        yield Message.id < wanted.before
    if wanted.since is not None:
        yield Message.id >= first_since(session, Message.id, Message.created_at, wanted.since - _OUT_OF_STEP)
    if wanted.until is not None:
        yield Message.id < first_since(session, Message.id, Message.created_at, wanted.until + _OUT_OF_STEP)


def _shown(session: Session, ids: Sequence[int]) -> Sequence[Row[Message, Person, str, str]]:
    if not ids:
        return ()
    author = func.coalesce(Journey.name, Operator.name, Reminder.name, ApiToken.name, Broadcast.name)
    query = (
        select(Message, Person, Number.name.label("number"), author.label("author"))
        .join(Person, Person.id == Message.person_id)
        .join(Number, Number.id == Message.number_id)
        .join(Journey, Journey.id == Message.journey_id, isouter=True)
        .join(Operator, Operator.id == Message.operator_id, isouter=True)
        .join(Reminder, Reminder.id == Message.reminder_id, isouter=True)
        .join(ApiToken, ApiToken.id == Message.token_id, isouter=True)
        .join(Broadcast, Broadcast.id == Message.broadcast_id, isouter=True)
        .where(Message.id.in_(ids))
        .order_by(Message.id.desc())
    )
    return session.execute(query).all()
