"""What webhooks report, made true: people, threads, messages, statuses; in bulk, in the caller's transaction."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from sqlalchemy import insert
from sqlalchemy.orm import Session

from bot.conversations import held
from bot.goals import noticing
from bot.journeys import opting, runner
from bot.journeys.runner import Arrival
from bot.messages import changes, reactions, replies, statuses
from bot.models.connection import Number
from bot.models.webhook import Quarantine
from bot.people import identify, keys, responses
from bot.providers.events import (
    Echo,
    Event,
    IdentityChange,
    InboundMessage,
    MessageEdit,
    MessageRevoke,
    OfNumber,
    PreferenceChange,
    ReactionChange,
    Sender,
    StatusUpdate,
    Unreadable,
)
from webhooks import accounts, attachments, elsewhere, faults, inbound, late, moves, placing, tally
from webhooks.inbound import Heard, Said
from webhooks.placing import Item as Item
from webhooks.placing import Refusal as Refusal

log = structlog.get_logger()

E = TypeVar("E", bound=OfNumber)

FORGED = "of no message of ours"


@dataclass(frozen=True, slots=True)
class Applied:
    """What is left to do after the commit, and which webhook events have an item in the quarantine now."""

    queues: frozenset[str]
    """To ring: "send" for messages composed, "media" for files to fetch."""
    refused: frozenset[int]


def apply(session: Session, items: Sequence[Item], *, alone: bool = False) -> Applied:
    """Apply items in bulk; what has no place goes to the quarantine, any other failure raises and undoes them all.

    With `alone` a failing journey is put in the quarantine and its message kept.
    """
    batch = _Batch(session, items)
    batch.lock()
    # Messages before people, which is the order of a sender's round: the two would else wait for each other.
    batch.report()
    batch.move()
    batch.meet()
    batch.prefer()
    heard = batch.keep()
    composed = batch.answer(heard, alone=alone)
    refuse(session, batch.refusals)
    accounts.apply(session, items)
    tally.add(session, batch.forged)
    waiting = {"send": composed, "media": batch.files}
    return Applied(
        frozenset(queue for queue, count in waiting.items() if count),
        frozenset(refusal.item.webhook_event_id for refusal in batch.refusals),
    )


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
    """The items of one transaction that have a place, and what became known of them on the way."""

    def __init__(self, session: Session, items: Sequence[Item]) -> None:
        self.session = session
        placed = late.leave_out(session, placing.place(session, items))
        self.placed, self.refusals = placed.items, placed.refusals
        self.forged: Counter[tuple[int, str, str]] = Counter()
        self.files = 0
        self._who: dict[int, int] = {}

    def of(self, kind: type[E]) -> list[tuple[Number, E]]:
        """The events of a kind, in the order they came."""
        return [(number, item.event) for number, item in self.placed if isinstance(item.event, kind)]

    def who(self, event: OfNumber) -> int:
        """The person an event is about, once everybody was met."""
        return self._who[id(event)]

    def lock(self) -> None:
        """Everybody the batch speaks of, at once and before any row: two batches cannot wait for each other."""
        keys.lock(
            self.session,
            [(number.environment, person) for number, item in self.placed for person in _people(item.event)],
        )

    def report(self) -> None:
        connections = {number.id: number.connection_id for number, _ in self.placed}
        for number_id in statuses.apply(self.session, self.of(StatusUpdate)):
            self.forged[connections[number_id], "mark", FORGED] += 1

    def move(self) -> None:
        for number, change in self.of(IdentityChange):
            moves.follow(self.session, number.environment, change)

    def meet(self) -> None:
        """Find or make everybody, after the moves: whoever was known by an old address is known by it still."""
        by_environment: defaultdict[str, list[tuple[OfNumber, Sender]]] = defaultdict(list)
        for number, item in self.placed:
            if isinstance(item.event, OfNumber) and (person := _person(item.event)):
                by_environment[number.environment].append((item.event, person))
        for environment, met in by_environment.items():
            people = identify.find_or_create(self.session, environment, [person for _, person in met])
            self._who |= {id(event): who for (event, _), who in zip(met, people, strict=True)}

    def prefer(self) -> None:
        accounts.prefer(self.session, [(change, self.who(change)) for _, change in self.of(PreferenceChange)])

    def keep(self) -> list[Heard]:
        """Store what was said, here and elsewhere, and what was done to it; what people said now for the first time."""
        session = self.session
        heard = inbound.store(session, list(self._said()))
        for environment, spoken in inbound.spoken(heard).items():
            noticing.said(session, environment, spoken)
        echoed = elsewhere.store(session, [(n, self.who(e), e) for n, e in self.of(Echo)])
        changes.apply(session, list(self._changed()))
        changes.adopt(session, [one.message_id for one in heard if one.is_awaited] + [id_ for id_, _, _ in echoed])
        reactions.apply(session, [(n, self.who(e), e) for n, e in self.of(ReactionChange)])
        told = [(one.message_id, one.said.number.id, one.said.event) for one in heard]
        self.files = attachments.store(session, [*told, *((id_, n.id, e) for id_, n, e in echoed)])
        return heard

    def answer(self, heard: Sequence[Heard], *, alone: bool) -> int:
        """Open threads, keep what answers a broadcast and tell the stack; number of messages composed."""
        threads = inbound.open_threads(self.session, heard)
        return sum(self._hear(number, arrivals, alone=alone) for number, arrivals in threads if arrivals)

    def _said(self) -> Iterator[Said]:
        for number, item in self.placed:
            event = item.event
            if isinstance(event, InboundMessage | ReactionChange | IdentityChange) and event.message_id:
                yield Said(number, self.who(event), event)

    def _changed(self) -> Iterator[tuple[Number, int | None, MessageEdit | MessageRevoke]]:
        for number, item in self.placed:
            if isinstance(item.event, MessageEdit | MessageRevoke):
                yield number, self._who.get(id(item.event)), item.event

    def _hear(self, number: Number, arrivals: Sequence[Arrival], *, alone: bool) -> int:
        taken = opting.take(self.session, number, arrivals)
        said = [(each.message_id, each.person_id, each.reply_to, each.occurred_at) for each in taken.left]
        responses.replied(self.session, number.id, said)
        replies.note(self.session, number.id, [(each.person_id, each.reply_to, each.occurred_at) for each in arrivals])
        released = self._release(number, arrivals, taken.left)
        return taken.composed + released + self._answer(number, taken.left, alone=alone)

    def _release(self, number: Number, arrivals: Sequence[Arrival], left: Sequence[Arrival]) -> int:
        """What a coach wrote to somebody whose window was closed, unless they answered with a stop word."""
        heard = [held.Heard(each.person_id, each.message_id) for each in arrivals]
        spoken = {each.message_id for each in left}
        stopped = [each.person_id for each in arrivals if each.message_id not in spoken]
        return held.release(self.session, number, heard, stopped)

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


def _person(event: OfNumber) -> Sender | None:
    """Whom an event is about; reports, and what the business changed itself, are about a message alone."""
    match event:
        case Echo():
            return event.recipient
        case StatusUpdate():
            return None
        case _:
            return event.sender


def _people(event: Event) -> Iterator[Sender]:
    if isinstance(event, OfNumber) and (person := _person(event)):
        yield person
    if isinstance(event, IdentityChange):
        yield from moves.arrived_as(event)
