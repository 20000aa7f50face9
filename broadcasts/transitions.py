"""Changing a broadcast's state: only from the state one believes it is in, and never without a line in its timeline."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, BroadcastTransition
from bot.models.team import ApiToken, Operator
from bot.models.words import BroadcastState


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asked for a change: an operator, a token, or neither (a command, or Backchat itself)."""

    operator_id: int | None = None
    token_id: int | None = None


NOBODY = Actor()
_STOPPED = frozenset({BroadcastState.PAUSED, BroadcastState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the timeline, with the name of whoever did it."""

    transition: BroadcastTransition
    who: str


def move(
    session: Session,
    broadcast_id: int,
    from_states: Collection[BroadcastState],
    to_state: BroadcastState,
    actor: Actor,
    *,
    why: str | None = None,
    **values: Any,  # noqa: ANN401 (columns that change with the state)
) -> bool:
    """Compare and set; False, and nothing changed, if the broadcast is in another state."""
    # As weak as goes: messages that are being made hold the key alone, and so do not hold up a pause.
    before = session.execute(
        select(Broadcast.state).where(Broadcast.id == broadcast_id).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if before not in set(from_states):
        return False
    session.execute(
        update(Broadcast)
        .where(Broadcast.id == broadcast_id)
        .values({"state": to_state, "reason": why if to_state in _STOPPED else None} | values)
        .execution_options(synchronize_session=False)
    )
    record(session, broadcast_id, before, to_state, actor, why)
    return True


def record(
    session: Session, broadcast_id: int, from_state: str, to_state: str, actor: Actor, why: str | None = None
) -> None:
    session.add(
        BroadcastTransition(
            broadcast_id=broadcast_id,
            at=func.clock_timestamp(),
            from_state=from_state,
            to_state=to_state,
            operator_id=actor.operator_id,
            token_id=actor.token_id,
            why=why,
        )
    )
    session.flush()


def timeline(session: Session, broadcast_id: int) -> list[Line]:
    """Oldest first."""
    found = session.execute(
        select(BroadcastTransition, Operator.name, ApiToken.name)
        .join(Operator, Operator.id == BroadcastTransition.operator_id, isouter=True)
        .join(ApiToken, ApiToken.id == BroadcastTransition.token_id, isouter=True)
        .where(BroadcastTransition.broadcast_id == broadcast_id)
        .order_by(BroadcastTransition.id)
    )
    return [Line(line, operator or (f"token {token}" if token else "Backchat")) for line, operator, token in found]
