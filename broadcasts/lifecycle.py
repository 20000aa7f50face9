"""From draft to finished: what may follow what, who did it, and what stands in the way."""

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.words import BroadcastState
from broadcasts.broadcasts import WrongStateError, get
from broadcasts.preflight.launching import approve as approve
from broadcasts.preflight.launching import decline as decline
from broadcasts.preflight.launching import launch as launch
from broadcasts.results import ledger
from broadcasts.transitions import NOBODY, Actor, move

# Somebody of the audience has no message yet, or nobody has asked yet who they are.
_UNPREPARED = select(Broadcast.id).where(
    or_(
        Broadcast.audience_frozen_at.is_(None),
        exists().where(AudiencePerson.broadcast_id == Broadcast.id, ledger.IS_UNMADE),
    )
)


def pause(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """From the commit on nothing more goes on the wire; raises WrongStateError unless it is on its way."""
    _move_or_refuse(session, broadcast_id, _UNDER_WAY, BroadcastState.PAUSED, actor, why)


def resume(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """Go on where it stood (ring "bulk" and "send"); raises WrongStateError unless it is paused."""
    is_prepared = session.scalar(_UNPREPARED.where(Broadcast.id == broadcast_id)) is None
    to_state = BroadcastState.RUNNING if is_prepared else BroadcastState.MATERIALISING
    _move_or_refuse(session, broadcast_id, {BroadcastState.PAUSED}, to_state, actor, why)


def cancel(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """For good: whoever still waits is not written to (audience.cancel_waiting, or ring "bulk")."""
    states = {BroadcastState.DRAFT, BroadcastState.PAUSED, *_UNDER_WAY}
    _move_or_refuse(session, broadcast_id, states, BroadcastState.CANCELLED, actor, why)


_UNDER_WAY = frozenset({BroadcastState.MATERIALISING, BroadcastState.RUNNING})


def _move_or_refuse(
    session: Session,
    broadcast_id: int,
    from_states: frozenset[BroadcastState] | set[BroadcastState],
    to_state: BroadcastState,
    actor: Actor = NOBODY,
    why: str | None = None,
) -> None:
    broadcast = get(session, broadcast_id)
    if not move(session, broadcast_id, from_states, to_state, actor, why=why):
        session.refresh(broadcast)
        fitting = " or ".join(sorted(from_states))
        raise WrongStateError(
            f"“{broadcast.name}” is {broadcast.state}: only one that is {fitting} can become {to_state}."
        )
