"""From draft to finished: what may follow what, who did it, and what stands in the way."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from bot.language import _, translated
from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.words import BroadcastState
from broadcasts.broadcasts import WrongStateError, get
from broadcasts.preflight.launching import approve as approve
from broadcasts.preflight.launching import decline as decline
from broadcasts.preflight.launching import launch as launch
from broadcasts.results import ledger
from broadcasts.transitions import NOBODY, Actor, move

# Somebody of the audience has no message yet or is to get none any more, or nobody has asked yet who they are.
_UNPREPARED = select(Broadcast.id).where(
    or_(
        Broadcast.audience_frozen_at.is_(None),
        Broadcast.not_after <= func.now(),
        exists().where(AudiencePerson.broadcast_id == Broadcast.id, ledger.IS_UNMADE),
    )
)


def pause(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """From the commit on nothing more goes on the wire; raises WrongStateError unless it is on its way or scheduled."""
    _move_or_refuse(session, broadcast_id, {BroadcastState.SCHEDULED, *_UNDER_WAY}, BroadcastState.PAUSED, actor, why)


def resume(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """Go on where it stood (ring "bulk" and "send"); raises WrongStateError unless it is paused."""
    _move_or_refuse(session, broadcast_id, {BroadcastState.PAUSED}, _next_state(session, broadcast_id), actor, why)


def cancel(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """For good: whoever still waits is not written to (materialising.cancel_waiting, or ring "bulk")."""
    states = {BroadcastState.DRAFT, BroadcastState.APPROVAL, BroadcastState.SCHEDULED, BroadcastState.PAUSED}
    values = {"finished_at": func.clock_timestamp()}
    _move_or_refuse(session, broadcast_id, states | _UNDER_WAY, BroadcastState.CANCELLED, actor, why, values)


def unschedule(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """A draft again, to be changed; raises WrongStateError unless it waits for its time, or was kept from beginning."""
    broadcast = get(session, broadcast_id)
    session.refresh(broadcast, with_for_update=True)
    waiting = {BroadcastState.SCHEDULED} | ({BroadcastState.PAUSED} if broadcast.launched_at is None else set())
    undone = dict.fromkeys(_SET_BY_LAUNCH)
    _move_or_refuse(session, broadcast_id, waiting, BroadcastState.DRAFT, actor, why, undone)


_UNDER_WAY = frozenset({BroadcastState.MATERIALISING, BroadcastState.RUNNING})
_SET_BY_LAUNCH = (
    *("frozen_template", "confirmed_people", "asked_by_operator_id", "approved_by_operator_id"),
    *("launched_by_operator_id", "launched_by_token_id"),
)


def _next_state(session: Session, broadcast_id: int) -> BroadcastState:
    """Of a paused one: whoever is too late for it is left out before anybody else is written to."""
    if get(session, broadcast_id).launched_at is None:
        return BroadcastState.SCHEDULED
    is_prepared = session.scalar(_UNPREPARED.where(Broadcast.id == broadcast_id)) is None
    return BroadcastState.RUNNING if is_prepared else BroadcastState.MATERIALISING


def _move_or_refuse(
    session: Session,
    broadcast_id: int,
    from_states: frozenset[BroadcastState] | set[BroadcastState],
    to_state: BroadcastState,
    actor: Actor = NOBODY,
    why: str | None = None,
    values: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    broadcast = get(session, broadcast_id)
    if not move(session, broadcast_id, from_states, to_state, actor, why=why, **values):
        session.refresh(broadcast)
        fitting = _(" or ").join(sorted(translated(state) for state in from_states))
        raise WrongStateError(
            _(
                "“%(name)s” is %(state)s: only one that is %(fitting)s can become %(to_state)s.",
                name=broadcast.name,
                state=translated(broadcast.state),
                fitting=fitting,
                to_state=translated(to_state),
            )
        )
