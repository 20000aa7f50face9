"""Whether people of an audience got the same a short while ago: the pain of every second broadcast tool."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Select, func, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from bot.language import later
from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastSegment, Template
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import BroadcastOrigin, BroadcastState, SegmentRole
from broadcasts.audience import membership
from broadcasts.results.ledger import PART_OF

DAYS: Final = 7
_LOOKED_AT: Final = 20
SHOWN: Final = 5
_SAME_LIST: Final = 0.9
_MAY_HAVE_IT: Final = [each for each, part in PART_OF.items() if part in {"accepted", "waiting", "in_doubt"}]


@dataclass(frozen=True, slots=True)
class Recent:
    """`what` is the same of it: its template, its segment, or its people, who came by another list."""

    broadcast: Broadcast
    people: int
    """Of the audience, how many got it, or may get it yet."""
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
    """What is still to begin counts too: two of the same, both scheduled, are seen when the second is.

    So does what was cancelled: it may have reached half of them before.
    """
    is_due = Broadcast.state == BroadcastState.SCHEDULED
    return (
        select(Broadcast)
        .where(
            Broadcast.environment == broadcast.environment,
            Broadcast.id != broadcast.id,
            Broadcast.origin != BroadcastOrigin.TEST,
            or_(Broadcast.launched_at > func.now() - timedelta(days=DAYS), is_due),
        )
        .order_by(Broadcast.id.desc())
        .limit(_LOOKED_AT)
    )


def _overlap(session: Session, broadcast: Broadcast, other: Broadcast) -> int:
    """Whose audience is not written down yet, of that it is whoever would be in it now."""
    both = select(func.count()).select_from(Person).where(membership.belongs(session, broadcast))
    is_over = other.state == BroadcastState.CANCELLED
    if other.audience_frozen_at is None:
        return 0 if is_over else session.scalar(both.where(membership.belongs(session, other))) or 0
    theirs = [select(Message.person_id).where(Message.broadcast_id == other.id, Message.state.in_(_MAY_HAVE_IT))]
    if not is_over:
        behind = tuple_(AudiencePerson.wave, AudiencePerson.person_id) > tuple_(other.wave, other.cursor)
        to_come = AudiencePerson.broadcast_id == other.id, AudiencePerson.refusal.is_(None), behind
        theirs.append(select(AudiencePerson.person_id).where(*to_come))
    return session.scalar(both.where(Person.id.in_(union_all(*theirs)))) or 0


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
