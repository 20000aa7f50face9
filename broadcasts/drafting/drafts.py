"""Making a draft: what it is made of is checked as a whole, and every problem is told at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, BroadcastSegment, Template
from bot.models.connection import Number
from bot.models.preference import Topic
from bot.models.segment import Segment
from bot.models.words import BroadcastState, SegmentRole
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting import checks


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A draft as a form, a command or a program asks for it."""

    name: str
    number_id: int
    template_id: int
    segment_ids: Sequence[int]
    minus_ids: Sequence[int] = ()
    """Segments whose people are left out."""
    slots: Mapping[str, str]
    """Slot name to text with `<<user.…>>`."""
    topic_id: int | None = None


def create(session: Session, environment: str, wanted: Wanted) -> Broadcast:
    """A draft that could be launched as it stands; raises BroadcastError with every problem, one a line."""
    number, template = session.get(Number, wanted.number_id), session.get(Template, wanted.template_id)
    to, minus = _segments(session, wanted.segment_ids), _segments(session, wanted.minus_ids)
    if number is None or template is None or not to or len(to) + len(minus) < len(_asked(wanted)):
        raise BroadcastError("The number, the template or a segment does not exist any more: choose anew.")
    name = " ".join(wanted.name.split())
    given = {slot: words.strip() for slot, words in wanted.slots.items() if words.strip()}
    found = checks.of_draft(environment, name, number, template, [*to, *minus], given)
    if wanted.topic_id is not None:
        found += checks.of_topic(environment, session.get(Topic, wanted.topic_id))
    if found:
        raise BroadcastError("\n".join(found))
    broadcast = Broadcast(
        environment=environment,
        name=name,
        number_id=number.id,
        template_id=template.id,
        topic_id=wanted.topic_id,
        slots=given,
        state=BroadcastState.DRAFT,
        segments=[
            BroadcastSegment(segment_id=segment.id, environment=environment, role=role)
            for role, some in ((SegmentRole.TO, to), (SegmentRole.MINUS, minus))
            for segment in some
        ],
    )
    session.add(broadcast)
    session.flush()
    return broadcast


def _asked(wanted: Wanted) -> set[int]:
    return {*wanted.segment_ids, *wanted.minus_ids}


def _segments(session: Session, ids: Sequence[int]) -> Sequence[Segment]:
    return session.scalars(select(Segment).where(Segment.id.in_(ids)).order_by(Segment.id)).all()
