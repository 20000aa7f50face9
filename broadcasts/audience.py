"""Who a broadcast goes to: the people in its segments at the moment of launch, turned into messages in chunks.

They are written down first, all at once, and the chunks are then made of that: whatever changes in people and segments
meanwhile changes nothing, and a chunk that was killed leaves neither rows nor a moved cursor.
"""

from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, SmallInteger, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import failpoints, runtime
from bot.messages.compose import compose_audience
from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.connection import Number
from bot.models.person import Person
from bot.models.words import BroadcastState
from broadcasts import membership, waves
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
    if broadcast.audience_frozen_at is None:
        _freeze(session, broadcast)
        return True
    left = select(AudiencePerson.person_id).where(
        AudiencePerson.broadcast_id == broadcast.id,
        AudiencePerson.wave == broadcast.wave,
        AudiencePerson.person_id > broadcast.cursor,
    )
    last = session.scalar(select(func.max(left.order_by(AudiencePerson.person_id).limit(CHUNK_PEOPLE).subquery().c[0])))
    if last is None:
        _run(session, broadcast)
        return False
    people = left.where(AudiencePerson.person_id <= last).order_by(AudiencePerson.person_id)
    compose_audience(session, broadcast, session.get_one(Number, broadcast.number_id), people)
    failpoints.hit("AU1")
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(cursor=last))
    return True


def cancel_waiting(session: Session, broadcast_id: int) -> int:
    """Cancel the next chunk of messages that wait to be sent, of a broadcast that is cancelled; how many they were."""
    return len(session.execute(_CANCEL, {"broadcast_id": broadcast_id, "limit": CHUNK_PEOPLE}).all())


def _freeze(session: Session, broadcast: Broadcast) -> None:
    """Write down who is in its segments now."""
    now = broadcast.launched_at and broadcast.launched_at.astimezone(ZoneInfo(runtime.current().settings.time_zone))
    ids = membership.at_launch(session, broadcast, now).subquery()
    chosen = select(
        literal(broadcast.id, BigInteger), Person.id, Person.environment, literal(waves.REST, SmallInteger)
    ).join(ids, ids.c[0] == Person.id)
    columns = ["broadcast_id", "person_id", "environment", "wave"]
    session.execute(insert(AudiencePerson).from_select(columns, chosen))
    failpoints.hit("AU2")
    frozen = update(Broadcast).where(Broadcast.id == broadcast.id)
    session.execute(frozen.values(audience_frozen_at=func.clock_timestamp(), wave=waves.REST))


def _run(session: Session, broadcast: Broadcast) -> None:
    record(session, broadcast.id, BroadcastState.MATERIALISING, BroadcastState.RUNNING, NOBODY)
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(state=BroadcastState.RUNNING))
