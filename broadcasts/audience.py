"""Who a broadcast goes to: the people in its segment at the moment of launch, turned into messages in chunks.

`added_at` of a membership and `launched_at` are taken while holding the segment's row, so each membership is clearly
before or after a launch; a chunk that was killed leaves neither rows nor a moved cursor.
"""

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from bot import failpoints
from bot.messages.compose import compose_audience
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.segment import SegmentMember
from bot.models.words import BroadcastState
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
    left = (
        select(SegmentMember.person_id)
        .where(
            SegmentMember.segment_id == broadcast.segment_id,
            SegmentMember.person_id > broadcast.cursor,
            SegmentMember.added_at <= broadcast.launched_at,
        )
        .order_by(SegmentMember.person_id)
    )
    chunk = left.limit(CHUNK_PEOPLE).subquery()
    last = session.scalar(select(func.max(chunk.c.person_id)))
    if last is None:
        _run(session, broadcast)
        return False
    compose_audience(
        session, broadcast, session.get_one(Number, broadcast.number_id), left.where(SegmentMember.person_id <= last)
    )
    failpoints.hit("AU1")
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(cursor=last))
    return True


def cancel_waiting(session: Session, broadcast_id: int) -> int:
    """Cancel the next chunk of messages that wait to be sent, of a broadcast that is cancelled; how many they were."""
    return len(session.execute(_CANCEL, {"broadcast_id": broadcast_id, "limit": CHUNK_PEOPLE}).all())


def _run(session: Session, broadcast: Broadcast) -> None:
    record(session, broadcast.id, BroadcastState.MATERIALISING, BroadcastState.RUNNING, NOBODY)
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(state=BroadcastState.RUNNING))
