"""Whom a broadcast's segments hold: everybody of the ones it goes to, each once, without those of the ones left out."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, SelectBase, and_, except_, false, not_, or_, select, union
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, BroadcastSegment
from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember
from bot.models.words import SegmentRole
from bot.people import segments


def of(session: Session, broadcast: Broadcast, role: SegmentRole = SegmentRole.TO) -> Sequence[Segment]:
    """Its segments, those it goes to or those it leaves out."""
    found = (
        select(Segment)
        .join(BroadcastSegment, BroadcastSegment.segment_id == Segment.id)
        .where(BroadcastSegment.broadcast_id == broadcast.id, BroadcastSegment.role == role)
        .order_by(Segment.id)
    )
    return session.scalars(found).all()


def belongs(session: Session, broadcast: Broadcast, person: type[Person] = Person) -> ColumnElement[bool]:
    """Who would be in the audience now, as a condition on people; raises RuleError if a rule cannot be asked."""
    wanted = [segments.belongs(session, each, person) for each in of(session, broadcast)]
    unwanted = [segments.belongs(session, each, person) for each in of(session, broadcast, SegmentRole.MINUS)]
    return and_(person.environment == broadcast.environment, or_(false(), *wanted), *map(not_, unwanted))


def at_launch(session: Session, broadcast: Broadcast, now: datetime | None) -> SelectBase:
    """Ids of the audience at the moment of launch: later members of a list do not count; days are counted from `now`.

    `added_at` of a membership and `launched_at` are taken while holding the segment's row, so that each membership is
    clearly before or after a launch.
    """

    def people(segment: Segment) -> Select[int]:
        if segment.rule is not None:
            return segments.people_in(session, segment, now)
        return select(SegmentMember.person_id).where(
            SegmentMember.segment_id == segment.id, SegmentMember.added_at <= broadcast.launched_at
        )

    wanted = union(*(people(each) for each in of(session, broadcast)))
    unwanted = [people(each) for each in of(session, broadcast, SegmentRole.MINUS)]
    return except_(wanted, union(*unwanted)) if unwanted else wanted
