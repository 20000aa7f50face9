"""Whether people of an audience got the same a short while ago: the pain of every second broadcast tool."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from bot.language import later
from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastSegment, Template
from bot.models.person import Person
from bot.models.words import BroadcastOrigin, BroadcastState, SegmentRole
from broadcasts.audience import membership

DAYS: Final = 7
_LOOKED_AT: Final = 20
SHOWN: Final = 5
_SAME_LIST: Final = 0.9


@dataclass(frozen=True, slots=True)
class Recent:
    """`what` is the same of it: its template, its segment, or its people, who came by another list."""

    broadcast: Broadcast
    people: int
    """Of the audience, how many were in its own."""
    what: Sequence[str]


def load(session: Session, broadcast: Broadcast, audience: Callable[[], int]) -> list[Recent]:
    """Those of the last DAYS days and those scheduled, the newest first, SHOWN at most; raises RuleError."""
    found = []
    for each in session.scalars(_lately(broadcast)):
        people = _overlap(session, broadcast, each)
        what = [
            *_shared(session, broadcast, each),
            *([later("people")] if people >= max(1, audience()) * _SAME_LIST else []),
        ]
        if people and what:
            found.append(Recent(each, people, what))
    return found[:SHOWN]


def _lately(broadcast: Broadcast) -> Select[Broadcast]:
    """What is still to begin counts too: two of the same, both scheduled, are seen when the second is."""
    is_due = Broadcast.state == BroadcastState.SCHEDULED
    return (
        select(Broadcast)
        .where(
            Broadcast.environment == broadcast.environment,
            Broadcast.id != broadcast.id,
            Broadcast.origin != BroadcastOrigin.TEST,
            Broadcast.state != BroadcastState.CANCELLED,
            or_(Broadcast.launched_at > func.now() - timedelta(days=DAYS), is_due),
        )
        .order_by(Broadcast.id.desc())
        .limit(_LOOKED_AT)
    )


def _overlap(session: Session, broadcast: Broadcast, other: Broadcast) -> int:
    """Whose audience is not written down yet, of that it is whoever would be in it now."""
    both = select(func.count()).select_from(Person).where(membership.belongs(session, broadcast))
    if other.audience_frozen_at is None:
        return session.scalar(both.where(membership.belongs(session, other))) or 0
    theirs = select(AudiencePerson.person_id).where(AudiencePerson.broadcast_id == other.id)
    return session.scalar(both.where(Person.id.in_(theirs))) or 0


def _shared(session: Session, broadcast: Broadcast, other: Broadcast) -> list[str]:
    ours, theirs = (session.get_one(Template, each.template_id) for each in (broadcast, other))
    shared = [later("template")] if (ours.connection_id, ours.name) == (theirs.connection_id, theirs.name) else []
    mine = select(BroadcastSegment.segment_id).where(
        BroadcastSegment.broadcast_id == broadcast.id, BroadcastSegment.role == SegmentRole.TO
    )
    same = select(BroadcastSegment.segment_id).where(
        BroadcastSegment.broadcast_id == other.id,
        BroadcastSegment.role == SegmentRole.TO,
        BroadcastSegment.segment_id.in_(mine),
    )
    return shared + ([later("segment")] if session.scalar(same.limit(1)) is not None else [])
