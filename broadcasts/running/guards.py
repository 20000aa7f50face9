"""What makes a broadcast stop itself: too many of those attempted failed, or too many of those reached opted out.

It is asked every few seconds, so that it looks at no more rows than it takes to say no.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot.messages import policy
from bot.models.broadcast import Broadcast, BroadcastTransition
from bot.models.words import BroadcastState

FEWEST: Final = 50
"""Fewer attempts than these say nothing about the others, unless they are all of a wave."""

# Since somebody let it go on in spite of them, earlier figures do not stop it again.
_FAILED = text("""
    SELECT count(*) FROM message
     WHERE broadcast_id = :id AND state = 'failed' AND failed_at > :since
""")
_OPTED_OUT = text("""
    SELECT count(*) FROM broadcast_response
     WHERE broadcast_id = :id AND opted_out_at IS NOT NULL AND opted_out_at > :since
""")
_REACHED = text("""
    SELECT count(*) FROM (
        SELECT FROM message
         WHERE broadcast_id = :id AND state = 'accepted' AND accepted_at > :since
         ORDER BY id DESC LIMIT :limit) reached
""")


@dataclass(frozen=True, slots=True)
class _Share:
    bad: int
    of: int
    percent: int

    @property
    def is_too_much(self) -> bool:
        return self.bad * 100 > self.of * self.percent

    def __str__(self) -> str:
        return f"{self.bad:,} of {self.of:,} ({self.bad * 100 / self.of:.1f} %)"


def trip(session: Session, broadcast: Broadcast, fewest: int = FEWEST) -> str | None:
    """Why it has to stop, in a sentence with the figures; None while it may go on."""
    rules = policy.of(session, broadcast.environment)
    values: dict[str, object] = {"id": broadcast.id, "since": _resumed_at(session, broadcast)}
    failed = session.scalars(_FAILED, values).one()
    percent = _either(broadcast.stop_failed_percent, rules.stop_failed_percent)
    if share := _share(session, values, failed, percent, fewest, besides=failed):
        return f"{share} failed, more than {percent} %: see why in the ledger before you resume it."
    opted_out = session.scalars(_OPTED_OUT, values).one()
    percent = _either(broadcast.stop_opt_out_percent, rules.stop_opt_out_percent)
    if share := _share(session, values, opted_out, percent, fewest):
        return f"{share} opted out, more than {percent} %: think again whether they expect it before you resume it."
    return None


def _share(
    session: Session, values: dict[str, object], bad: int, percent: int, fewest: int, besides: int = 0
) -> _Share | None:
    if not bad:
        return None
    enough = max(bad * 100 // percent + 1, fewest)
    reached = session.scalars(_REACHED, values | {"limit": enough}).one()
    share = _Share(bad, reached + besides, percent)
    return share if share.is_too_much and share.of >= fewest else None


def _either(own: int | None, policys: int) -> int:
    return policys if own is None else own


def _resumed_at(session: Session, broadcast: Broadcast) -> datetime:
    """For the last time, or else when it was made."""
    last = select(func.max(BroadcastTransition.at)).where(
        BroadcastTransition.broadcast_id == broadcast.id, BroadcastTransition.from_state == BroadcastState.PAUSED
    )
    return session.scalar(last) or broadcast.created_at
