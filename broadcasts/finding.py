"""The broadcast that a page is about."""

from flask import abort
from sqlalchemy.orm import Session

from bot.dashboard import access
from bot.models.broadcast import Broadcast
from broadcasts import broadcasts
from broadcasts.broadcasts import BroadcastError


def find(tx: Session, broadcast_id: int) -> Broadcast:
    """The broadcast, whose environment the page then shows; 404 if there is none."""
    try:
        found = broadcasts.get(tx, broadcast_id)
    except BroadcastError:
        abort(404)
    access.show_environment(found.environment)
    return found
