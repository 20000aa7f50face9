"""Segments made of what became of a broadcast: everybody behind a number of its ledger, as they stand now."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.models.segment import Segment
from bot.models.words import MessageState
from bot.people.segments import Maker, SegmentError, add_selection
from broadcasts.results.ledger import PART_OF

_ACCEPTED = Message.state == MessageState.ACCEPTED.value


def _part(name: str) -> ColumnElement[bool]:
    return Message.state.in_([state.value for state, part in PART_OF.items() if part == name])


OUTCOMES: Mapping[str, tuple[str, ColumnElement[bool]]] = {
    "accepted": ("accepted by WhatsApp", _part("accepted")),
    "failed": ("failed", _part("failed")),
    "skipped": ("skipped", _part("skipped")),
    "cancelled": ("cancelled", _part("cancelled")),
    "waiting": ("waiting", _part("waiting")),
    "in_doubt": ("in doubt", _part("in_doubt")),
    "sent": ("sent", Message.delivery_level >= 1),
    "delivered": ("delivered", Message.delivery_level >= 2),
    "read": ("read", Message.delivery_level >= 3),
    "unread": ("accepted and not read", and_(_ACCEPTED, Message.delivery_level < 3)),
}
"""As the pages of a broadcast name its parts → in words, and which messages those are."""


def people(broadcast: Broadcast, outcome: str | None, reason: str | None = None) -> Select[int]:
    """Ids of whom it is about; without an outcome everybody who has a message of it."""
    found = select(Message.person_id).where(
        Message.broadcast_id == broadcast.id, Message.environment == broadcast.environment
    )
    if outcome is not None:
        found = found.where(OUTCOMES[outcome][1])
    if reason is not None:
        found = found.where(func.coalesce(Message.error_text, "no reason was given") == reason)
    return found


def count(session: Session, broadcast: Broadcast, outcome: str | None, reason: str | None = None) -> int:
    return session.scalar(select(func.count()).select_from(people(broadcast, outcome, reason).subquery())) or 0


def in_words(broadcast: Broadcast, outcome: str | None, reason: str | None = None) -> str:
    word = "everybody" if outcome is None else OUTCOMES[outcome][0]
    return f"{broadcast.name}: {word}" + (f", {reason}" if reason else "")


def make(
    session: Session, broadcast: Broadcast, name: str, outcome: str | None, reason: str | None, maker: Maker
) -> Segment:
    """A static segment; raises SegmentError where there is nobody, or the name is not free to take."""
    origin = f"Broadcast “{in_words(broadcast, outcome, reason)}”"
    segment, added = add_selection(
        session, broadcast.environment, name, people(broadcast, outcome, reason), origin, maker
    )
    if not added:
        raise SegmentError("There is nobody to put into the segment who is not in it already.")
    return segment
