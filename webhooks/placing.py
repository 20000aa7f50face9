"""Which business number an item is about, or why it has no place: decided before anything is applied."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.providers.events import (
    ONLY_NUMBER,
    Echo,
    Event,
    IdentityChange,
    InboundMessage,
    MessageEdit,
    MessageRevoke,
    OfNumber,
    ReactionChange,
    Unreadable,
)

TOO_OLD = timedelta(days=8)
"""Providers try again for seven days; what is older is a replay."""
TOO_NEW = timedelta(minutes=10)

_TIMELY = InboundMessage | Echo | MessageEdit | MessageRevoke | ReactionChange | IdentityChange
"""What may not be replayed a month later; reports and preferences are kept by their own time, and the newest counts."""


@dataclass(frozen=True, slots=True)
class Item:
    """One event of a stored body."""

    webhook_event_id: int
    connection_id: int
    event: Event
    received_at: datetime | None = None
    """When the body came in; None for just now."""


@dataclass(frozen=True, slots=True)
class Refusal:
    item: Item
    reason: str


@dataclass(frozen=True, slots=True)
class Placed:
    """The items of a batch, sorted by whether they can be applied. Those about no number at all are in neither."""

    items: list[tuple[Number, Item]]
    refusals: list[Refusal]


def place(session: Session, items: Sequence[Item]) -> Placed:
    numbers, now = _Numbers(session, items), datetime.now(UTC)
    placed = Placed([], [])
    for item in items:
        event = item.event
        if isinstance(event, Unreadable):
            placed.refusals.append(Refusal(item, event.reason))
        elif isinstance(event, OfNumber):
            found = numbers.named(item.connection_id, event.number_id)
            if isinstance(found, str):
                placed.refusals.append(Refusal(item, found))
            elif isinstance(event, _TIMELY) and (stale := _staleness(event.occurred_at, item.received_at or now)):
                placed.refusals.append(Refusal(item, stale))
            else:
                placed.items.append((found, item))
    return placed


def _staleness(occurred_at: datetime, received_at: datetime) -> str | None:
    """By when it came in, so that what waited in the quarantine for its number is not too old afterwards."""
    if received_at - occurred_at > TOO_OLD:
        return "stale: it is more than 8 days old"
    if occurred_at - received_at > TOO_NEW:
        return "stale: its time is in the future"
    return None


class _Numbers:
    """The business numbers of the connections a batch came in by."""

    def __init__(self, session: Session, items: Sequence[Item]) -> None:
        self._by_connection: defaultdict[int, dict[str, Number]] = defaultdict(dict)
        wanted = {item.connection_id for item in items if isinstance(item.event, OfNumber)}
        for number in session.scalars(select(Number).where(Number.connection_id.in_(wanted))) if wanted else ():
            self._by_connection[number.connection_id][number.provider_number_id] = number

    def named(self, connection_id: int, number_id: str) -> Number | str:
        """The number, or why there is none."""
        known = self._by_connection[connection_id]
        if number_id == ONLY_NUMBER and len(known) == 1:
            return next(iter(known.values()))
        if number_id == ONLY_NUMBER:
            return (
                f"it names no number and this connection has {len(known)}: "
                "keep one number per connection with this provider"
            )
        return known.get(number_id) or _not_set_up(number_id)


def _not_set_up(number_id: str) -> str:
    return f"number {number_id[:40]} is not set up under this connection: add it with `backchat number add`"
