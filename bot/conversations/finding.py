"""Which conversations a list holds, in which order, and how many: by tab and filters, a page at a time."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from bot.conversations.window import ENDING, WINDOW
from bot.models.conversation import Conversation
from bot.models.inbox import ConversationLabel
from bot.models.person import Person
from bot.models.segment import Segment
from bot.models.words import ConversationState
from bot.people import segments


class Tab(StrEnum):
    OPEN = "open"
    UNANSWERED = "unanswered"
    """The person's last word is not answered, the newest first."""
    WAITING = "waiting"
    """The same people, whoever waits longest first."""
    ENDING = "ending"
    """Of them, those whose window closes soon, the next first."""
    MINE = "mine"
    UNASSIGNED = "unassigned"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Asked:
    environment: str
    tab: Tab = Tab.OPEN
    operator_id: int = 0
    """Whose conversations are `mine`; 0 for the other tabs, so that who look at one of them look at the same."""
    number_id: int | None = None
    label_id: int | None = None
    segment_id: int | None = None
    assigned_to_id: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the time it is ordered by, as it was then, so that what moves meanwhile moves no page."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{int((self.at - _EPOCH) / timedelta(microseconds=1))}-{self.id}"

    @classmethod
    def read(cls, given: str) -> "Place | None":
        """None for what is no place."""
        micros, _, id_ = given.partition("-")
        if not (micros.isascii() and micros.isdigit() and id_.isascii() and id_.isdigit() and len(given) < _LONGEST):
            return None
        return cls(_EPOCH + timedelta(microseconds=int(micros)), int(id_))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 36

_C = Conversation
_OPEN = Conversation.state == ConversationState.OPEN
_WAITS = and_(_OPEN, Conversation.waiting_since.is_not(None))

CONDITIONS: Mapping[Tab, Callable[[Asked, datetime], ColumnElement[bool] | None]] = {
    Tab.OPEN: lambda _asked, _now: _OPEN,
    Tab.UNANSWERED: lambda _asked, _now: _WAITS,
    Tab.WAITING: lambda _asked, _now: _WAITS,
    Tab.ENDING: lambda _asked, now: and_(
        _WAITS, _C.last_inbound_at > now - WINDOW, _C.last_inbound_at <= now - WINDOW + ENDING
    ),
    Tab.MINE: lambda asked, _now: and_(_OPEN, _C.assigned_to_id == asked.operator_id),
    Tab.UNASSIGNED: lambda _asked, _now: and_(_OPEN, _C.assigned_to_id.is_(None)),
    Tab.CLOSED: lambda _asked, _now: _C.state == ConversationState.CLOSED,
    Tab.ALL: lambda _asked, _now: None,
}

_OLDEST_FIRST: Mapping[Tab, InstrumentedAttribute[Any]] = {
    Tab.WAITING: Conversation.waiting_since,
    Tab.ENDING: Conversation.last_inbound_at,
}
"""Tabs in another order than the newest first."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many conversations the tabs hold, with the filters."""

    open: int
    unanswered: int
    ending: int
    by_coach: Mapping[int | None, int]
    """Open ones by who looks after them; None: nobody."""

    def of(self, tab: Tab, operator_id: int) -> int | None:
        """None for a tab that is not counted."""
        told = {
            Tab.OPEN: self.open,
            Tab.UNANSWERED: self.unanswered,
            Tab.ENDING: self.ending,
            Tab.MINE: self.by_coach.get(operator_id, 0),
            Tab.UNASSIGNED: self.by_coach.get(None, 0),
        }
        return told.get(tab)


MANY, KEPT_S = 5_000, 2.0
"""Above so many open conversations their counts are kept for so long: each look would read all of them."""
_kept: dict[tuple[object, Asked], tuple[float, Counts | None]] = {}


def narrow(session: Session, asked: Asked, now: datetime) -> Iterator[ColumnElement[bool]]:
    """The conditions of a tab and its filters, for a select from Conversation."""
    condition = CONDITIONS[asked.tab](asked, now)
    if condition is not None:
        yield condition
    yield from _filters(session, asked)


def page(session: Session, asked: Asked, now: datetime, after: Place | None, query: Select[Any]) -> Select[Any]:
    """A select from Conversation, narrowed to a tab, in its order, from a place on."""
    query = query.where(*narrow(session, asked, now))
    if (column := _OLDEST_FIRST.get(asked.tab)) is not None:
        if after is not None:
            query = query.where(tuple_(column, _C.id) > tuple_(after.at, after.id))
        return query.order_by(column, _C.id)
    if after is not None:
        query = query.where(tuple_(_C.last_message_at, _C.id) < tuple_(after.at, after.id))
    return query.order_by(_C.last_message_at.desc(), _C.id.desc())


def place_of(tab: Tab, conversation: Conversation) -> Place:
    """Where a page that ends with this conversation ends."""
    at = getattr(conversation, _OLDEST_FIRST.get(tab, Conversation.last_message_at).key)
    return Place(at, conversation.id)


def counts(session: Session, asked: Asked, now: datetime) -> Counts:
    """One look at what is open, whoever looks; of very many kept for a moment, as nobody sees the last one missing."""
    place = (session.get_bind(), replace(asked, tab=Tab.OPEN, operator_id=0))
    at = time.monotonic()
    until, kept = _kept.get(place, (0.0, None))
    if kept is not None and at < until:
        return kept
    if kept is not None:  # whoever asks while it is counted anew is told this once more
        _kept[place] = (at + KEPT_S, kept)
    counted = _count(session, place[1], now)
    _kept.pop(place, None)
    if counted.open > MANY:
        for other in [other for other, (end, _) in list(_kept.items()) if end < at]:
            _kept.pop(other, None)
        _kept[place] = (time.monotonic() + KEPT_S, counted)
    return counted


def _count(session: Session, every: Asked, now: datetime) -> Counts:
    narrowed = [CONDITIONS[tab](every, now) for tab in (Tab.UNANSWERED, Tab.ENDING)]
    columns = [func.count().filter(condition) for condition in narrowed if condition is not None]
    query = select(_C.assigned_to_id, func.count(), *columns).where(*narrow(session, every, now))
    found = cast("Sequence[tuple[int | None, int, int, int]]", session.execute(query.group_by(_C.assigned_to_id)).all())
    return Counts(
        open=sum(open_ for _, open_, _, _ in found),
        unanswered=sum(waits for _, _, waits, _ in found),
        ending=sum(ends for _, _, _, ends in found),
        by_coach={coach: open_ for coach, open_, _, _ in found},
    )


def _filters(session: Session, asked: Asked) -> Iterator[ColumnElement[bool]]:
    yield _C.environment == asked.environment
    if asked.number_id is not None:
        yield _C.number_id == asked.number_id
    if asked.assigned_to_id is not None:
        yield _C.assigned_to_id == asked.assigned_to_id
    if asked.label_id is not None:
        yield exists().where(ConversationLabel.conversation_id == _C.id, ConversationLabel.label_id == asked.label_id)
    if asked.segment_id is not None:
        segment = session.get(Segment, asked.segment_id)
        if segment is not None and segment.environment == asked.environment:
            person = aliased(Person)
            yield _C.person_id.in_(select(person.id).where(segments.belongs(session, segment, person)))
