"""What webhooks report, made true: people, threads, messages, statuses; in bulk, in the caller's transaction."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bot.journeys import runner
from bot.journeys.runner import Arrival
from bot.messages import statuses
from bot.models.connection import Number
from bot.models.webhook import Quarantine
from bot.people import identify, keys
from bot.providers.events import (
    ONLY_NUMBER,
    Event,
    IdentityChange,
    InboundMessage,
    Notice,
    OfNumber,
    ReactionChange,
    Sender,
    StatusUpdate,
    Unreadable,
)
from webhooks import faults, inbound, moves
from webhooks.inbound import Said

log = structlog.get_logger()

TOO_OLD = timedelta(days=8)
"""Providers try again for seven days; what is older is a replay."""
TOO_NEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Item:
    """One event of a stored body."""

    webhook_event_id: int
    connection_id: int
    event: Event


@dataclass(frozen=True, slots=True)
class Refusal:
    item: Item
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """`composed`: messages now waiting to be sent. `refused`: webhook events with an item in the quarantine."""

    composed: int
    refused: frozenset[int]


def apply(session: Session, items: Sequence[Item], *, alone: bool = False) -> Applied:
    """Apply items in bulk; what has no place goes to the quarantine, any other failure raises and undoes them all.

    With `alone` a failing journey is put in the quarantine and its message kept.
    """
    batch = _Batch(session, items)
    batch.lock()
    # Messages before people, which is the order of a sender's round: the two would else wait for each other.
    statuses.apply(session, [(n, item.event) for n, item in batch.placed if isinstance(item.event, StatusUpdate)])
    batch.move()
    composed = batch.listen(alone=alone)
    refuse(session, batch.refusals)
    return Applied(composed, frozenset(refusal.item.webhook_event_id for refusal in batch.refusals))


def refuse(session: Session, refusals: Iterable[Refusal]) -> None:
    """Put items in the quarantine, each with its place in the body and the reason."""
    rows = [
        {
            "connection_id": refusal.item.connection_id,
            "webhook_event_id": refusal.item.webhook_event_id,
            "pointer": refusal.item.event.pointer,
            "reason": refusal.reason,
            "item": refusal.item.event.item if isinstance(refusal.item.event, Unreadable) else None,
        }
        for refusal in refusals
    ]
    if rows:
        session.execute(insert(Quarantine), rows)


class _Batch:
    """The items of one transaction, each placed with its number or refused."""

    def __init__(self, session: Session, items: Sequence[Item]) -> None:
        self.session = session
        self.now = datetime.now(UTC)
        self.placed: list[tuple[Number, Item]] = []
        self.refusals: list[Refusal] = []
        self.said: list[Said] = []
        self._place(items)

    def lock(self) -> None:
        """Everybody the batch speaks of, at once and before any row: two batches cannot wait for each other."""
        keys.lock(
            self.session, [(number.environment, sender) for number, item in self.placed for sender in _people(item)]
        )

    def move(self) -> None:
        for number, item in self.placed:
            if isinstance(item.event, IdentityChange):
                try:
                    person_id = moves.follow(self.session, number.environment, item.event)
                except moves.AddressTakenError as error:
                    self.refusals.append(Refusal(item, str(error)))
                    continue
                if item.event.message_id:
                    self.said.append(Said(number, person_id, item.event))

    def listen(self, *, alone: bool) -> int:
        """Store what was said, open threads, tell the stack; number of messages composed."""
        by_environment: defaultdict[str, list[tuple[Number, InboundMessage | ReactionChange]]] = defaultdict(list)
        for number, item in self.placed:
            if isinstance(item.event, InboundMessage | ReactionChange):
                by_environment[number.environment].append((number, item.event))
        for environment, spoken in by_environment.items():
            people = identify.find_or_create(self.session, environment, [event.sender for _, event in spoken])
            self.said += [Said(number, who, event) for (number, event), who in zip(spoken, people, strict=True)]
        heard = inbound.store(self.session, self.said)
        threads = inbound.open_threads(self.session, heard)
        return sum(self._answer(number, arrivals, alone=alone) for number, arrivals in threads if arrivals)

    def _answer(self, number: Number, arrivals: Sequence[Arrival], *, alone: bool) -> int:
        if not alone:
            return runner.receive(self.session, number, arrivals)
        try:
            with self.session.begin_nested():
                return runner.receive(self.session, number, arrivals)
        except faults.PASSING:
            raise
        except Exception as error:  # noqa: BLE001 (the stack's failure must not cost us what the person said)
            reason = f"the message is kept, but its journey failed: {faults.describe(error)}"
            self.refusals += [Refusal(item, reason) for _, item in self.placed]
            return 0

    def _place(self, items: Sequence[Item]) -> None:
        numbers = _Numbers(self.session, items)
        notices: Counter[str] = Counter()
        for item in items:
            event = item.event
            if isinstance(event, Unreadable):
                self.refusals.append(Refusal(item, event.reason))
            elif not isinstance(event, OfNumber):
                notices[event.field if isinstance(event, Notice) else type(event).__name__] += 1
            elif isinstance(found := numbers.named(item.connection_id, event.number_id), str):
                self.refusals.append(Refusal(item, found))
            elif isinstance(event, InboundMessage | ReactionChange) and (stale := self._staleness(event.occurred_at)):
                self.refusals.append(Refusal(item, stale))
            else:
                self.placed.append((found, item))
        if notices:
            log.info("webhook.notices", fields=dict(notices))

    def _staleness(self, occurred_at: datetime) -> str | None:
        if self.now - occurred_at > TOO_OLD:
            return "stale: it is more than 8 days old"
        if occurred_at - self.now > TOO_NEW:
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


def _people(item: Item) -> Iterator[Sender]:
    if isinstance(item.event, InboundMessage | ReactionChange | IdentityChange):
        yield item.event.sender
    if isinstance(item.event, IdentityChange):
        yield moves.arrived_as(item.event)


def _not_set_up(number_id: str) -> str:
    return f"number {number_id[:40]} is not set up under this connection: add it with `backchat number add`"
