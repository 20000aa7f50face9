"""How much of its daily tier a number has used, and how much a broadcast would use on top.

Counted are people whom the account wrote to within 24 hours and who had not written within the 24 hours before it:
WhatsApp counts each once, and since October 2025 over all numbers of a business portfolio (Meta, messaging limits).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import CTE, ColumnElement, Select, and_, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from bot import db
from bot.messages import policy
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.message import Message
from bot.models.words import BroadcastState, Direction, MessageState

DAY: Final = timedelta(days=1)

_TIER: Final = re.compile(r"(?:TIER_)?(\d+)([KM]?)")
_TIMES: Final = {"": 1, "K": 1_000, "M": 1_000_000}
_LEFT: Final = (MessageState.WIRE, MessageState.ACCEPTED, MessageState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Use:
    limit: int
    percent: int
    used: int
    """People written to first in the last 24 hours."""
    new: int
    """People this broadcast would add."""

    @property
    def allowed(self) -> int:
        return self.limit * self.percent // 100

    @property
    def today(self) -> int:
        """How many of the new may be written to at once; the others wait for room."""
        return max(0, min(self.new, self.allowed - self.used))

    @property
    def more_days(self) -> int:
        """How many days later the last of them are reached than the first."""
        return -(-(self.new - self.today) // max(1, self.allowed))

    @property
    def fits(self) -> bool:
        return self.today == self.new


def limit_of(tier: str | None) -> int | None:
    """People a day, of `TIER_2K` 2,000; None for no limit, and where the provider has not said."""
    found = _TIER.fullmatch((tier or "").upper())
    return int(found[1]) * _TIMES[found[2]] if found else None


def is_new(session: Session, person_id: ColumnElement[int], number: Number) -> ColumnElement[bool]:
    """Whether a message to somebody would count on top of what has counted in the last 24 hours."""
    written = written_first(session, number)
    return and_(is_first(person_id, number), person_id.not_in(select(written.c.person_id)))


def use_of(session: Session, broadcast: Broadcast, new: int) -> Use | None:
    """With so many people to write to first; None where there is no limit to keep to."""
    number = session.get_one(Number, broadcast.number_id)
    limit = limit_of(number.tier)
    if limit is None:
        return None
    written = written_first(session, number)
    used = session.scalar(select(func.count()).select_from(written)) or 0
    percent = broadcast.tier_percent or policy.of(session, broadcast.environment).tier_percent
    return Use(limit, percent, used, new)


def is_first(person_id: ColumnElement[int], number: Number) -> ColumnElement[bool]:
    """Whether somebody has not written to the number for a day, so that a message to them counts."""
    recently = datetime.now(UTC) - DAY
    return not_(
        exists().where(
            Conversation.person_id == person_id,
            Conversation.number_id == number.id,
            Conversation.last_inbound_at > recently,
        )
    )


def written_first(session: Session, number: Number) -> CTE:
    """person_id of everybody who counts towards the last 24 hours, each once."""
    recently = datetime.now(UTC) - DAY
    ours = select(Number.id).where(Number.connection_id == number.connection_id)
    since = db.first_since(session, Message.id, Message.created_at, recently)
    # Messages of a broadcast that was paused or slow may have been made long before they left.
    of_late = or_(Broadcast.finished_at.is_(None), Broadcast.finished_at > recently)
    live = select(Broadcast.id).where(Broadcast.number_id.in_(ours), Broadcast.state != BroadcastState.DRAFT, of_late)
    told: list[Select[int]] = [
        _written(ours, recently).where(Message.id >= since, Message.broadcast_id.is_(None)),
        _written(ours, recently).where(Message.broadcast_id.in_(live), Message.state.in_(_LEFT)),
    ]
    return told[0].union(told[1]).cte("written")


def _written(ours: Select[int], recently: datetime) -> Select[int]:
    """A conversation tells only when its person wrote last: one who wrote before and after is counted all the same."""
    had_window = exists().where(
        Conversation.person_id == Message.person_id,
        Conversation.number_id == Message.number_id,
        Conversation.last_inbound_at.between(Message.wire_at - DAY, Message.wire_at),
    )
    return select(Message.person_id.label("person_id")).where(
        Message.number_id.in_(ours),
        Message.direction == Direction.OUT,
        Message.kind == "template",
        Message.wire_at > recently,
        Message.state.in_(_LEFT),
        not_(had_window),
    )
