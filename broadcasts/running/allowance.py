"""How many more people a broadcast may write to today: what is left of its share of the number's daily tier.

It is given out when messages are made, one broadcast after the other, and not asked before the wire: whoever has a
message is counted, whether it has left or waits, so that two broadcasts together cannot go over it.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.messages import policy
from bot.models.broadcast import Broadcast
from bot.models.connection import Connection, Number
from bot.models.message import Message
from bot.models.words import BroadcastState, MessageState
from broadcasts.preflight import tier

_GIVEN_OUT = (BroadcastState.MATERIALISING, BroadcastState.RUNNING, BroadcastState.PAUSED)
_PARTS: Final = 20


@dataclass(frozen=True, slots=True)
class Room:
    people: int
    worth_it: int
    """With less than this a broadcast that holds goes on holding, not to begin anew for each person."""
    why_hold: str
    """What is said where that is nobody."""


def room(session: Session, broadcast: Broadcast) -> Room | None:
    """None where there is no limit; held until the commit against the other broadcasts of the account."""
    number = session.get_one(Number, broadcast.number_id)
    limit = tier.limit_of(number.tier)
    if limit is None:
        return None
    session.execute(select(Connection.id).where(Connection.id == number.connection_id).with_for_update(key_share=True))
    percent = broadcast.tier_percent or policy.of(session, broadcast.environment).tier_percent
    allowed = limit * percent // 100
    written, waiting = _given_out(session, number)
    why = (
        f"Waits until there is room in the number's daily tier: {percent} % of {limit:,} people are {allowed:,}, and "
        f"{written:,} were written to first in the last 24 hours, while {waiting:,} more wait to be."
    )
    return Room(max(0, allowed - written - waiting), max(1, allowed // _PARTS), why)


def _given_out(session: Session, number: Number) -> tuple[int, int]:
    written = tier.written_first(session, number)
    of_account = select(Number.id).where(Number.connection_id == number.connection_id)
    busy = select(Broadcast.id).where(Broadcast.number_id.in_(of_account), Broadcast.state.in_(_GIVEN_OUT))
    waiting = (
        select(func.count(Message.person_id.distinct()))
        .where(
            Message.broadcast_id.in_(busy),
            Message.state.in_([MessageState.QUEUED, MessageState.CLAIMED]),
            Message.person_id.not_in(select(written.c.person_id)),
            tier.is_first(Message.__table__.c.person_id, number),
        )
        .scalar_subquery()
    )
    so_far = select(func.count()).select_from(written).scalar_subquery()
    found = session.execute(select(so_far, waiting)).one()
    return int(found[0]), int(found[1])
