"""The list as it stands beside a thread, or alone: what dashboard/inbox.html asks for it."""

from sqlalchemy.orm import Session

from bot.dashboard import listing
from bot.dashboard.inbox import door
from bot.models.words import Environment


def load(session: Session, environment: Environment, before: int | None = None) -> dict[str, object]:
    """Hand it on to the template, with `thread` (None where there is none) and `before`."""
    return {
        "listing": listing.load(session, environment, door.state(), before),
        "state": door.state(),
        "has_numbers": True,
    }
