"""The figures of Insights again, slow and obvious: plain Python over all messages."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import phone
from bot.insights.asking import Filter, Period
from bot.models.message import AUTHOR_COLUMNS, Message
from bot.models.person import Address

NOTHING_WRITTEN = {"reaction", "system", "ephemeral", "request_welcome"}


@dataclass
class Recount:
    """Of one period and filter; `members` are the people of its segment."""

    messages: Sequence[Message]
    zone: ZoneInfo
    period: Period
    which: Filter
    members: set[int] | None = None
    replied: AbstractSet[int] = frozenset()
    """Messages with a reply."""

    def _wanted(self, message: Message) -> bool:
        return (
            message.environment == self.which.environment
            and self.which.number_id in {None, message.number_id}
            and (self.members is None or message.person_id in self.members)
        )

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def _inbound(self) -> Iterator[tuple[Message, datetime]]:
        for message in self.messages:
            if self._wanted(message) and message.direction == "in" and message.kind not in NOTHING_WRITTEN:
                yield message, self._local(message.occurred_at)

    def _outbound(self) -> Iterator[tuple[Message, datetime]]:
        for message in self.messages:
            if self._wanted(message) and message.direction == "out":
                own = message.accepted_at or message.failed_at or message.occurred_at
                yield message, self._local(own)

    def _within(self, day: date) -> bool:
        return self.period.first <= day <= self.period.last

    def active(self) -> tuple[int, dict[date, tuple[int, int]]]:
        """Everybody once; day → (people, new ones)."""
        days: defaultdict[int, set[date]] = defaultdict(set)
        for message, at in self._inbound():
            days[message.person_id].add(at.date())
        people = sum(any(self._within(day) for day in own) for own in days.values())
        bars = {
            day: (sum(day in own for own in days.values()), sum(min(own) == day for own in days.values()))
            for day in self.period
        }
        return people, bars

    def countries(self, session: Session) -> Counter[str]:
        people = {message.person_id for message, at in self._inbound() if self._within(at.date())}
        return Counter(country(session, person_id) for person_id in people)

    def volume(self) -> dict[date, tuple[int, int]]:
        received = Counter(at.date() for _, at in self._inbound())
        sent = Counter(at.date() for message, at in self._outbound() if message.accepted_at)
        return {day: (received[day], sent[day]) for day in self.period}

    def hours(self) -> dict[tuple[int, int], tuple[int, int]]:
        def place(at: datetime) -> tuple[int, int]:
            return at.isoweekday(), at.hour

        received = Counter(place(at) for _, at in self._inbound() if self._within(at.date()))
        sent = Counter(place(at) for message, at in self._outbound() if message.accepted_at and self._within(at.date()))
        return {where: (received[where], sent[where]) for where in {*received, *sent}}

    def authors(self) -> dict[tuple[str, int], Mapping[str, int]]:
        told: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        for message, at in self._outbound():
            if self._within(at.date()):
                told[author(message)].update(fate(message) | {"replied": int(message.id in self.replied)})
        return {who: +counts for who, counts in told.items() if +counts}


def author(message: Message) -> tuple[str, int]:
    kind: Any = message.author_kind
    return kind, getattr(message, AUTHOR_COLUMNS[kind]) if kind in AUTHOR_COLUMNS else 0


def fate(message: Message) -> dict[str, int]:
    is_sent, is_failed = message.accepted_at is not None, message.state == "failed"
    return {
        "sent": int(is_sent),
        "delivered": int(is_sent and message.delivery_level >= 2),
        "read": int(is_sent and message.delivery_level >= 3),
        "failed": int(is_failed),
        "refused": int(is_failed and not is_sent),
    }


def country(session: Session, person_id: int) -> str:
    for kind, value in session.execute(
        select(Address.kind, Address.value)
        .where(Address.person_id == person_id, Address.kind.in_(["phone", "user_id"]))
        .order_by(Address.kind)
    ):
        return (phone.country_of(value) or "") if kind == "phone" else value[:2]
    return ""
