"""What an event changed: its body is read again, and each item looked up by the provider's ids.

Nothing of this is stored when an event is applied: a row for each of thousands of statuses a second would cost more
than the statuses themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from bot.language import later
from bot.models.connection import Number
from bot.models.webhook import Quarantine
from bot.models.words import EventState
from bot.providers.events import ONLY_NUMBER, Echo, Event, InboundMessage, Notice, OfNumber, Sender, StatusUpdate
from webhooks import contents, kinds, traces, wording
from webhooks.traces import Thread

PAGE = 200


class Verdict(StrEnum):
    APPLIED = later("applied")
    WAITING = later("waiting")
    QUARANTINED = later("quarantined")
    PUT_ASIDE = later("put aside")
    NO_EFFECT = later("no effect")
    ORPHAN = later("message not known")
    """A status of a message that we did not send, or do not have any more."""
    GONE = later("no longer here")


@dataclass(frozen=True, slots=True)
class Change:
    """One item of a body."""

    pointer: str
    kind: str
    what: str
    verdict: Verdict
    thread: Thread | None
    """Where it can be seen."""
    kept_out: Quarantine | None


@dataclass(frozen=True, slots=True)
class Changes:
    items: Sequence[Change]
    total: int


def of(session: Session, event: Row[Any], first: int = 0) -> Changes:
    """PAGE items from the place `first` on; `event` is from webhooks.log.one."""
    found = [item.event for item in contents.items(event)]
    shown = found[first : first + PAGE]
    lookup = _Lookup(session, event, shown)
    return Changes([lookup.change(one) for one in shown], len(found))


class _Lookup:
    """What the database has of some items, asked for at once."""

    def __init__(self, session: Session, event: Row[Any], shown: Sequence[Event]) -> None:
        self.event = event
        numbers = session.scalars(select(Number).where(Number.connection_id == event.connection_id)).all()
        self.numbers: Mapping[str, Number] = {number.provider_number_id: number for number in numbers}
        if len(numbers) == 1:
            self.numbers = {ONLY_NUMBER: numbers[0], **self.numbers}
        placed = [(number.id, one) for one in shown if (number := self._number(one))]
        statuses = [_status_key(number_id, one) for number_id, one in placed if isinstance(one, StatusUpdate)]
        self.statuses = traces.of_statuses(session, statuses)
        self.messages = traces.of_messages(
            session, [(number_id, id_) for number_id, one in placed for id_ in _ids(one)]
        )
        people = [(number_id, one.pointer, who) for number_id, one in placed if (who := _sender(one))]
        self.people = traces.of_people(session, numbers, people)
        kept_out = select(Quarantine).where(Quarantine.webhook_event_id == event.id).order_by(Quarantine.id)
        self.kept_out = {row.pointer: row for row in session.scalars(kept_out)}

    def change(self, one: Event) -> Change:
        number = self._number(one)
        thread = self._thread(one, number.id) if number else None
        kept_out = self.kept_out.get(one.pointer) or self.kept_out.get("")
        verdict = _verdict_of(kept_out) or self._verdict(one, thread)
        return Change(one.pointer, kinds.KINDS[type(one)], wording.describe(one), verdict, thread, kept_out)

    def _verdict(self, one: Event, thread: Thread | None) -> Verdict:
        match one:
            case _ if self.event.state == EventState.NEW:
                return Verdict.WAITING
            case Notice():
                return Verdict.NO_EFFECT
            case StatusUpdate(status=status) if status not in kinds.STATUSES:
                return Verdict.NO_EFFECT
            case StatusUpdate() if thread is None:
                return Verdict.ORPHAN
            case InboundMessage() | Echo() if thread is None:
                return Verdict.GONE
        return Verdict.APPLIED

    def _thread(self, one: Event, number_id: int) -> Thread | None:
        if isinstance(one, StatusUpdate):
            return self.statuses.get(_status_key(number_id, one))
        known = (self.messages.get((number_id, id_)) for id_ in _ids(one))
        found = next(filter(None, known), None)
        if found is None and not isinstance(one, InboundMessage | Echo):
            found = self.people.get((number_id, one.pointer))
        return found

    def _number(self, one: Event) -> Number | None:
        return self.numbers.get(one.number_id) if isinstance(one, OfNumber) else None


def _verdict_of(kept_out: Quarantine | None) -> Verdict | None:
    if kept_out is None or kept_out.replayed_at is not None:
        return None
    return Verdict.QUARANTINED if kept_out.dismissed_at is None else Verdict.PUT_ASIDE


def _status_key(number_id: int, one: StatusUpdate) -> traces.StatusKey:
    return number_id, one.message_id, one.status, one.occurred_at


def _ids(one: Event) -> list[str]:
    """The provider's ids of the messages an item can be seen at: the one it is about, and its own."""
    if isinstance(one, StatusUpdate):
        return []
    return [id_ for id_ in (getattr(one, "target", None), getattr(one, "message_id", None)) if id_]


def _sender(one: Event) -> Sender | None:
    found = getattr(one, "sender", None)
    return found if isinstance(found, Sender) else None
