"""Broadcasts as everything here reads them, and what is said where one cannot be made or changed."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _
from bot.models.broadcast import Broadcast

PAGE = 25


class BroadcastError(ValueError):
    """The broadcast cannot be made or changed; the text says why and what would be right."""


class AlreadyLaunchedError(BroadcastError):
    """Somebody else was quicker, or it was launched before; nothing was done this time."""


class WrongStateError(BroadcastError):
    """The change does not fit the state the broadcast is in."""


def get(session: Session, broadcast_id: int) -> Broadcast:
    """As it stands in the database now; raises BroadcastError."""
    found = session.get(Broadcast, broadcast_id, populate_existing=True)
    if found is None:
        raise BroadcastError(_("There is no broadcast %(broadcast_id)s.", broadcast_id=broadcast_id))
    return found


def every(session: Session, environment: str | None = None, before: int | None = None) -> Sequence[Broadcast]:
    """A page of them, newest first, with ids below `before`."""
    found = select(Broadcast).order_by(Broadcast.id.desc()).limit(PAGE)
    if before is not None:
        found = found.where(Broadcast.id < before)
    if environment is not None:
        found = found.where(Broadcast.environment == environment)
    return session.scalars(found).all()
