"""Writing once more to those who are presumed never to have got a broadcast: somebody's decision, in the timeline."""

from sqlalchemy.orm import Session

from bot.language import _, translated
from bot.messages import silence
from bot.models.words import BroadcastState
from broadcasts.broadcasts import BroadcastError, WrongStateError, get
from broadcasts.transitions import Actor, move, record

_OVER = frozenset({BroadcastState.CANCELLED, BroadcastState.DRAFT, BroadcastState.APPROVAL, BroadcastState.SCHEDULED})


def release(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> int:
    """How many are queued again (ring "send"); raises BroadcastError where there is nobody to write to once more."""
    found = get(session, broadcast_id)
    if found.state in _OVER:
        raise WrongStateError(
            _(
                "“%(name)s” is %(state)s: nobody is written to once more by it.",
                name=found.name,
                state=translated(found.state),
            )
        )
    people = silence.release(session, broadcast_id)
    if not people:
        raise BroadcastError(_("Nobody is presumed unsent any more: a report may have come, or somebody was quicker."))
    told = f"Once more to {people:,} presumed unsent." + (f" {why}" if why else "")
    if not move(session, broadcast_id, [BroadcastState.FINISHED], BroadcastState.RUNNING, actor, why=told):
        record(session, broadcast_id, found.state, found.state, actor, told)
    return people
