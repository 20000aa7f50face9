"""The pace of a broadcast, changed while it is on its way."""

from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.language import _, figure, translated
from bot.models.broadcast import Broadcast
from bot.models.words import BroadcastState
from broadcasts.broadcasts import BroadcastError, WrongStateError
from broadcasts.transitions import Actor, record

FASTEST: Final = 10_000

_OVER: Final = frozenset({BroadcastState.FINISHED, BroadcastState.CANCELLED})


def change(session: Session, broadcast_id: int, pace: int | None, actor: Actor, why: str | None = None) -> None:
    """So many a second at most, or with None as fast as its number may (ring "send" after the commit).

    Raises WrongStateError if it is over, BroadcastError for a pace that is none.
    """
    if pace is not None and not 1 <= pace <= FASTEST:
        raise BroadcastError(
            _(
                "A pace is 1 to %(fastest)s messages a second; leave it empty for the number's own.",
                fastest=figure(FASTEST),
            )
        )
    broadcast = session.get_one(Broadcast, broadcast_id, with_for_update={"key_share": True}, populate_existing=True)
    if broadcast.state in _OVER:
        raise WrongStateError(
            _(
                "“%(name)s” is %(state)s: nothing more is sent at any pace.",
                name=broadcast.name,
                state=translated(broadcast.state),
            )
        )
    if broadcast.pace_per_s == pace:
        return
    told = f"Pace: {_in_words(pace)} instead of {_in_words(broadcast.pace_per_s)}." + (f" {why}" if why else "")
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(pace_per_s=pace))
    record(session, broadcast.id, broadcast.state, broadcast.state, actor, told)


def _in_words(pace: int | None) -> str:
    return "as fast as the number may" if pace is None else f"{pace:,} a second"
