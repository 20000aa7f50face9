"""Segments made of what became of a broadcast: everybody behind a number of its ledger, as they stand now."""

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session

from bot.language import _
from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.message import Message
from bot.models.segment import Segment
from bot.people.segments import Maker, SegmentError, add_selection
from broadcasts.results import ledger, parts, variants
from broadcasts.results.parts import PARTS, Asked


def people(broadcast: Broadcast, asked: Asked) -> Select[int]:
    """Ids of whom it is about, those whose message is not made yet included."""
    environment = broadcast.environment
    found = select(Message.person_id).where(*parts.made(broadcast.id, asked), Message.environment == environment)
    if unmade := list(parts.unmade(broadcast, asked)):
        behind = select(AudiencePerson.person_id).join(Broadcast, Broadcast.id == AudiencePerson.broadcast_id)
        both = union_all(found, behind.where(*unmade, ledger.IS_UNMADE)).subquery()
        return select(both.c.person_id)
    return found


def count(session: Session, broadcast: Broadcast, asked: Asked) -> int:
    return session.scalar(select(func.count()).select_from(people(broadcast, asked).subquery())) or 0


def in_words(broadcast: Broadcast, asked: Asked) -> str:
    words = ["everybody" if asked.part is None else PARTS[asked.part].words]
    if asked.variant is not None:
        words.append(f"variant {variants.letter(asked.variant)}")
    if asked.language is not None:
        words.append("other languages" if asked.language == variants.OTHERS else f"in {asked.language}")
    if asked.reason:
        words.append(asked.reason)
    return f"{broadcast.name}: {', '.join(words)}"


def make(session: Session, broadcast: Broadcast, name: str, asked: Asked, maker: Maker) -> Segment:
    """A static segment; raises SegmentError where there is nobody, or the name is not free to take."""
    origin = f"Broadcast “{in_words(broadcast, asked)}”"
    segment, added = add_selection(session, broadcast.environment, name, people(broadcast, asked), origin, maker)
    if not added:
        raise SegmentError(_("There is nobody to put into the segment who is not in it already."))
    return segment
