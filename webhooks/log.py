"""The event log: what came in, newest first. A page looks back over so many events, then offers to go on.

So it answers as quickly with ten million events as with ten, whatever is asked for.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, any_, func, literal, literal_column, select
from sqlalchemy.orm import Session

from bot.db import first_since
from bot.models.connection import Connection
from bot.models.webhook import WebhookEvent
from bot.models.words import EventState

PAGE = 50
LOOK_BACK = 20_000
"""Events one page looks at; by time it begins where it should, and what is new or quarantined has an index."""

_INDEXED = frozenset({EventState.NEW, EventState.QUARANTINED})
_BY_TIME = (WebhookEvent.id, WebhookEvent.received_at)
_OUT_OF_STEP = timedelta(minutes=5)
"""Ids and times rise together, but for what different processes wrote at the same moment."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show; None is everything. `kind` is one of webhooks.kinds, `state` an EventState."""

    connection_id: int | None = None
    number_id: int | None = None
    kind: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """The `more` of the page before."""


@dataclass(frozen=True, slots=True)
class Page:
    events: Sequence[Row[Any]]
    """id, received_at, connection_id, connection, state, items, kinds, number_ids, size (bytes), done_at."""
    more: int | None
    looked_back_to: datetime | None = None
    """How far this page looked before it gave up; there may be more beyond."""


def load(session: Session, wanted: Wanted) -> Page:
    found = session.execute(_matching(session, wanted).limit(PAGE + 1)).all()
    if len(found) > PAGE:
        return Page(found[:PAGE], found[PAGE - 1].id)
    slice_ = _slice(session, wanted).subquery()
    seen = session.execute(select(func.count(), func.min(slice_.c.id), func.min(slice_.c.received_at))).one()
    return Page(found, seen[1], seen[2]) if seen[0] == LOOK_BACK else Page(found, None)


def every(transaction: Callable[[], AbstractContextManager[Session]], wanted: Wanted) -> Iterator[Row[Any]]:
    """All events that fit, from `before` on, however far back; a transaction for each page."""
    more = wanted.before
    while True:
        with transaction() as session:
            page = load(session, replace(wanted, before=more))
        yield from page.events
        if page.more is None:
            return
        more = page.more


def last(session: Session, connection_id: int, kind: str | None, look_back: int) -> Row[Any, Any] | None:
    """The connection's newest event that held `kind`, among the last `look_back`: id, received_at."""
    slice_ = _slice(session, Wanted(connection_id=connection_id)).limit(look_back).subquery()
    query = select(slice_.c.id, slice_.c.received_at).order_by(slice_.c.id.desc()).limit(1)
    return session.execute(query if kind is None else query.where(literal(kind) == any_(slice_.c.kinds))).one_or_none()


def one(session: Session, event_id: int) -> Row[Any] | None:
    """The event with its body; None if there is none, or its month is past the retention."""
    columns = (
        WebhookEvent.id,
        WebhookEvent.received_at,
        WebhookEvent.connection_id,
        WebhookEvent.content_type,
        WebhookEvent.headers,
        WebhookEvent.body,
        WebhookEvent.state,
        WebhookEvent.attempt,
        WebhookEvent.done_at,
        WebhookEvent.redacted_at,
        Connection.slug.label("connection"),
        Connection.provider,
    )
    query = select(*columns).join(Connection, Connection.id == WebhookEvent.connection_id)
    return session.execute(query.where(WebhookEvent.id == event_id)).one_or_none()


def _matching(session: Session, wanted: Wanted) -> Select[Any]:
    slice_ = _slice(session, wanted).subquery()
    query = (
        select(slice_, Connection.slug.label("connection"))
        .join(Connection, Connection.id == slice_.c.connection_id)
        .order_by(slice_.c.id.desc())
    )
    if wanted.kind is not None:
        query = query.where(literal(wanted.kind) == any_(slice_.c.kinds))
    if wanted.number_id is not None:
        query = query.where(literal(wanted.number_id) == any_(slice_.c.number_ids))
    if wanted.state is not None and wanted.state not in _INDEXED:
        query = query.where(slice_.c.state == wanted.state)
    if wanted.since is not None:
        query = query.where(slice_.c.received_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(slice_.c.received_at < wanted.until)
    return query


def _slice(session: Session, wanted: Wanted) -> Select[Any]:
    """The newest LOOK_BACK events that an index leads to, without their bodies."""
    query = select(
        WebhookEvent.id,
        WebhookEvent.received_at,
        WebhookEvent.connection_id,
        WebhookEvent.state,
        WebhookEvent.items,
        WebhookEvent.kinds,
        WebhookEvent.number_ids,
        WebhookEvent.done_at,
        func.octet_length(WebhookEvent.body).label("size"),
    )
    if wanted.connection_id is not None:
        query = query.where(WebhookEvent.connection_id == wanted.connection_id)
    if wanted.state in _INDEXED:
        # As a literal, or PostgreSQL could not know that the partial index holds what is asked for.
        query = query.where(WebhookEvent.state == literal_column(f"'{EventState(wanted.state)}'"))
    if wanted.before is not None:
        query = query.where(WebhookEvent.id < wanted.before)
    if wanted.since is not None:
        query = query.where(WebhookEvent.id >= first_since(session, *_BY_TIME, wanted.since - _OUT_OF_STEP))
    if wanted.until is not None:
        query = query.where(WebhookEvent.id < first_since(session, *_BY_TIME, wanted.until + _OUT_OF_STEP))
    return query.order_by(WebhookEvent.id.desc()).limit(LOOK_BACK)
