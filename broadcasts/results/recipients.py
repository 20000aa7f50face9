"""The people behind each number of a broadcast's ledger, a page at a time; the parts are those of ledger.py."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from bot.models.message import Message
from bot.models.person import Person
from broadcasts.results.ledger import PART_OF

PAGE = 50
NO_REASON = "no reason was given"

_STATES: defaultdict[str, list[str]] = defaultdict(list)
for _state, _part in PART_OF.items():
    _STATES[_part].append(_state.value)

_LEVELS: Mapping[str, ColumnElement[bool]] = {
    "sent": Message.delivery_level >= 1,
    "delivered": Message.delivery_level >= 2,
    "read": Message.delivery_level >= 3,
    "unread": (Message.delivery_level < 3) & Message.state.in_(_STATES["accepted"]),
}
PARTS = (*_STATES, *_LEVELS)
"""What can be asked for, besides everybody: the parts of the ledger, and how far what was accepted has come."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row[Message, Person]]
    more: int | None


def load(
    session: Session,
    broadcast_id: int,
    part: str | None = None,
    reason: str | None = None,
    after: int | None = None,
    size: int = PAGE,
) -> Page:
    """In the order in which the messages were made; those whose message is not made yet are nobody's part."""
    query = (
        select(Message, Person)
        .join(Person, Person.id == Message.person_id)
        .where(*_narrow(broadcast_id, part, reason))
        .order_by(Message.id)
        .limit(size + 1)
    )
    if after is not None:
        query = query.where(Message.id > after)
    found = session.execute(query).all()
    return Page(found[:size], found[size - 1].Message.id if len(found) > size else None)


def every(
    transaction: Callable[[], AbstractContextManager[Session]],
    broadcast_id: int,
    part: str | None = None,
    reason: str | None = None,
) -> Iterator[Row[Message, Person]]:
    """All of them; a transaction for each page, so that a slow reader holds none."""
    after = None
    while True:
        with transaction() as session:
            page = load(session, broadcast_id, part, reason, after, size=2000)
        yield from page.rows
        if page.more is None:
            return
        after = page.more


def _narrow(broadcast_id: int, part: str | None, reason: str | None) -> Iterator[ColumnElement[Any]]:
    yield Message.broadcast_id == broadcast_id
    if part is not None:
        yield _LEVELS[part] if part in _LEVELS else Message.state.in_(_STATES[part])
    if reason is not None:
        yield func.coalesce(Message.error_text, NO_REASON) == reason
