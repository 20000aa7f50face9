"""Who a broadcast goes to: the people in its segment at the moment of launch, turned into messages in chunks.

`added_at` of a membership and `launched_at` are taken while holding the segment's row, so each membership is clearly
before or after a launch; a chunk that was killed leaves neither rows nor a moved cursor. Whom a rule matches is written
down first, all at once, and the chunks are then made of that: whatever changes in people meanwhile changes nothing.
"""

from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Subquery, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import failpoints, runtime
from bot.messages.compose import compose_audience
from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.connection import Number
from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember
from bot.models.words import BroadcastState, SegmentKind
from broadcasts.segments import segments
from broadcasts.transitions import NOBODY, record

CHUNK_PEOPLE = 5000

_CANCEL = text("""
    UPDATE message SET state = 'cancelled', owner = NULL, lease_until = NULL
     WHERE id IN (SELECT id FROM message
                   WHERE broadcast_id = :broadcast_id AND state = 'queued'
                   ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id
""")


def materialise(session: Session, broadcast_id: int) -> bool:
    """Make the messages of the next chunk of people, or, after the last one, let it run; whether more is to do."""
    broadcast = session.scalar(
        select(Broadcast)
        .where(Broadcast.id == broadcast_id, Broadcast.state == BroadcastState.MATERIALISING)
        .with_for_update()
    )
    if broadcast is None:
        return False
    segment = session.get_one(Segment, broadcast.segment_id)
    if segment.kind == SegmentKind.RULE and broadcast.audience_frozen_at is None:
        _freeze(session, broadcast, segment)
        return True
    left = _left(broadcast, segment)
    chunk = select(left.c[0]).order_by(left.c[0]).limit(CHUNK_PEOPLE).subquery()
    last = session.scalar(select(func.max(chunk.c[0])))
    if last is None:
        _run(session, broadcast)
        return False
    people = select(left.c[0]).where(left.c[0] <= last).order_by(left.c[0])
    compose_audience(session, broadcast, session.get_one(Number, broadcast.number_id), people)
    failpoints.hit("AU1")
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(cursor=last))
    return True


def cancel_waiting(session: Session, broadcast_id: int) -> int:
    """Cancel the next chunk of messages that wait to be sent, of a broadcast that is cancelled; how many they were."""
    return len(session.execute(_CANCEL, {"broadcast_id": broadcast_id, "limit": CHUNK_PEOPLE}).all())


def _freeze(session: Session, broadcast: Broadcast, segment: Segment) -> None:
    """Write down whom the rule matches now; days in it are counted from the launch."""
    now = broadcast.launched_at and broadcast.launched_at.astimezone(ZoneInfo(runtime.current().settings.time_zone))
    ids = segments.people_in(session, segment, now).subquery()
    chosen = select(literal(broadcast.id, BigInteger), Person.id, Person.environment).join(ids, ids.c[0] == Person.id)
    session.execute(insert(AudiencePerson).from_select(["broadcast_id", "person_id", "environment"], chosen))
    failpoints.hit("AU2")
    frozen = update(Broadcast).where(Broadcast.id == broadcast.id).values(audience_frozen_at=func.clock_timestamp())
    session.execute(frozen)


def _left(broadcast: Broadcast, segment: Segment) -> Subquery:
    """Ids of those without a message so far."""
    if segment.kind == SegmentKind.RULE:
        frozen = select(AudiencePerson.person_id).where(AudiencePerson.broadcast_id == broadcast.id)
        return frozen.where(AudiencePerson.person_id > broadcast.cursor).subquery()
    members = select(SegmentMember.person_id).where(
        SegmentMember.segment_id == broadcast.segment_id,
        SegmentMember.person_id > broadcast.cursor,
        SegmentMember.added_at <= broadcast.launched_at,
    )
    return members.subquery()


def _run(session: Session, broadcast: Broadcast) -> None:
    record(session, broadcast.id, BroadcastState.MATERIALISING, BroadcastState.RUNNING, NOBODY)
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(state=BroadcastState.RUNNING))
