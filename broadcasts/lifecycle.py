"""From draft to finished: what may follow what, who did it, and what stands in the way."""

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastSegment, Template
from bot.models.segment import Segment
from bot.models.words import BroadcastState
from broadcasts.broadcasts import AlreadyLaunchedError, BroadcastError, WrongStateError, get
from broadcasts.drafting import checks
from broadcasts.results import ledger
from broadcasts.templates.templates import frozen
from broadcasts.transitions import NOBODY, Actor, move

# Somebody of the audience has no message yet, or nobody has asked yet who they are.
_UNPREPARED = select(Broadcast.id).where(
    or_(
        Broadcast.audience_frozen_at.is_(None),
        exists().where(AudiencePerson.broadcast_id == Broadcast.id, ledger.IS_UNMADE),
    )
)


def launch(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> None:
    """Freeze template and audience, and begin (ring "bulk" after the commit).

    Raises AlreadyLaunchedError unless this very call moved it from draft; BroadcastError if it cannot be sent as it is.
    """
    broadcast = get(session, broadcast_id)
    # Imports hold these rows while they add people: from here on everybody was added before the launch or after it.
    mine = select(BroadcastSegment.segment_id).where(BroadcastSegment.broadcast_id == broadcast.id)
    session.execute(select(Segment.id).where(Segment.id.in_(mine)).order_by(Segment.id).with_for_update())
    template = session.get_one(Template, broadcast.template_id, populate_existing=True)
    if broadcast.state == BroadcastState.DRAFT and (found := checks.of_launch(session, broadcast, template)):
        raise BroadcastError("\n".join(found))
    if not move(
        session,
        broadcast.id,
        [BroadcastState.DRAFT],
        BroadcastState.MATERIALISING,
        actor,
        why=why,
        frozen_template=frozen(template),
        launched_at=func.clock_timestamp(),
        launched_by_operator_id=actor.operator_id,
        launched_by_token_id=actor.token_id,
    ):
        session.refresh(broadcast)
        raise AlreadyLaunchedError(f"“{broadcast.name}” was launched already: it is {broadcast.state}.")


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
