"""Who a broadcast goes to: the people in its segments at the moment of launch, turned into messages in chunks.

They are written down first, all at once, and the chunks are then made of that: whatever changes in people and segments
meanwhile changes nothing, and a chunk that was killed leaves neither rows nor a moved cursor. Whoever has a message is
sent to while the next are made, so no chunk holds the broadcast that a sender's every round asks for.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, case, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import failpoints, runtime
from bot.messages.compose import compose_audience
from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.connection import Number
from bot.models.person import Person
from bot.models.words import BroadcastState
from broadcasts.audience import drawing, making, membership, waves, wordings
from broadcasts.preflight import foreseen
from broadcasts.running import allowance
from broadcasts.transitions import NOBODY, move

CHUNK_PEOPLE = 5000

# A chunk of those who wait is told something final; the sender's rows are not waited for.
_CANCEL = text("""
    UPDATE message SET state = 'cancelled', owner = NULL, lease_until = NULL
     WHERE id IN (SELECT id FROM message
                   WHERE broadcast_id = :broadcast_id AND state = 'queued'
                   ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id
""")
_EXPIRE = text("""
    UPDATE message SET state = 'suppressed', owner = NULL, lease_until = NULL, error_text = :reason
     WHERE id IN (SELECT id FROM message
                   WHERE broadcast_id = :broadcast_id AND state = 'queued'
                   ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id
""")


def materialise(session: Session, broadcast_id: int) -> bool:
    """Make the messages of the next chunk of people, or, after the wave's last one, let it run; whether more is to do.

    Of a broadcast whose end is over, whoever still waits is left out instead, in all its waves.
    """
    found = (
        select(Broadcast)
        .where(Broadcast.id == broadcast_id, Broadcast.state == BroadcastState.MATERIALISING)
        .execution_options(populate_existing=True)
    )
    broadcast = session.scalar(found)
    if broadcast is None:
        return False
    if broadcast.audience_frozen_at is None:
        unfrozen = found.where(Broadcast.audience_frozen_at.is_(None)).with_for_update(key_share=True)
        if session.scalar(unfrozen) is not None:
            _freeze(session, broadcast)
        return True  # who only waited for it lets go before anything is made
    now = session.scalars(select(func.clock_timestamp())).one()
    is_late = making.is_late(broadcast, now)
    if is_late and session.scalar(found.with_for_update(key_share=True)) is None:
        return False
    if is_late and _touch_waiting(session, _EXPIRE, broadcast.id, reason=making.TOO_LATE):
        return True
    return _make_chunk(session, broadcast, now, is_late=is_late)


def cancel_waiting(session: Session, broadcast_id: int) -> int:
    """Cancel the next chunk of messages that wait to be sent, of a broadcast that is cancelled; how many they were."""
    return _touch_waiting(session, _CANCEL, broadcast_id)


def _touch_waiting(session: Session, statement: Any, broadcast_id: int, **values: str) -> int:  # noqa: ANN401 (text)
    return len(session.execute(statement, {"broadcast_id": broadcast_id, "limit": CHUNK_PEOPLE} | values).all())


def _make_chunk(session: Session, broadcast: Broadcast, now: datetime, *, is_late: bool) -> bool:
    left = select(AudiencePerson.person_id).where(
        AudiencePerson.broadcast_id == broadcast.id,
        AudiencePerson.wave == broadcast.wave,
        AudiencePerson.person_id > broadcast.cursor,
    )
    ordered = left.order_by(AudiencePerson.person_id)
    if session.scalar(ordered.limit(1)) is None:
        if is_late and waves.go_on(session, broadcast):
            return True
        return _run(session, broadcast)
    room = None if is_late else allowance.room(session, broadcast)
    if room is not None and room.people == 0:
        return _run(session, broadcast, room.why_hold)
    size = CHUNK_PEOPLE if room is None else min(CHUNK_PEOPLE, room.people)
    last = session.scalars(select(func.max(ordered.limit(size).subquery().c[0]))).one()
    with session.begin_nested() as chunk:
        people = left.where(AudiencePerson.person_id <= last)
        _follow_winner(session, broadcast, last)
        chosen = making.of(session, broadcast, people, now)
        compose_audience(session, broadcast, session.get_one(Number, broadcast.number_id), chosen)
        failpoints.hit("AU1")
        if not _move_on(session, broadcast, last):
            chunk.rollback()
    return True


def _move_on(session: Session, broadcast: Broadcast, last: int) -> bool:
    """Whether nobody has paused or cancelled it meanwhile, or made these messages too."""
    moved = (
        update(Broadcast)
        .where(
            Broadcast.id == broadcast.id,
            Broadcast.state == BroadcastState.MATERIALISING,
            Broadcast.wave == broadcast.wave,
            Broadcast.cursor == broadcast.cursor,
        )
        .values(cursor=last)
        .returning(Broadcast.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(moved) is not None


def _follow_winner(session: Session, broadcast: Broadcast, last: int) -> None:
    """The variant that won becomes the chunk's."""
    if broadcast.winner is None or broadcast.wave != waves.REST:
        return
    session.execute(
        update(AudiencePerson)
        .where(
            AudiencePerson.broadcast_id == broadcast.id,
            AudiencePerson.wave == waves.REST,
            AudiencePerson.person_id > broadcast.cursor,
            AudiencePerson.person_id <= last,
            AudiencePerson.variant != broadcast.winner,
        )
        .values(variant=broadcast.winner)
        .execution_options(synchronize_session=False)
    )


def _freeze(session: Session, broadcast: Broadcast) -> None:
    """Write down who is in its segments now, and draw what each of them gets and when."""
    now = broadcast.launched_at and broadcast.launched_at.astimezone(ZoneInfo(runtime.current().settings.time_zone))
    ids = membership.at_launch(session, broadcast, now).subquery()
    variants = wordings.count_variants(session, broadcast)
    is_tried = drawing.has_trial(broadcast, variants)
    refusal = foreseen.refusal(session, broadcast)
    wave = case((refusal.is_not(None), waves.REST), else_=drawing.wave(broadcast, has_trial=is_tried))
    variant = drawing.variant(broadcast, variants)
    if is_tried:
        variant = case((wave == waves.REST, 0), else_=variant)
    chosen = select(literal(broadcast.id, BigInteger), Person.id, Person.environment, wave, variant, refusal)
    columns = ["broadcast_id", "person_id", "environment", "wave", "variant", "refusal"]
    session.execute(insert(AudiencePerson).from_select(columns, chosen.join(ids, ids.c[0] == Person.id)))
    if broadcast.canary_percent:
        _ensure_canary(session, broadcast)
    failpoints.hit("AU2")
    frozen = update(Broadcast).where(Broadcast.id == broadcast.id)
    session.execute(
        frozen.values(audience_frozen_at=func.clock_timestamp(), wave=waves.first(session, broadcast), cursor=0)
    )


def _ensure_canary(session: Session, broadcast: Broadcast) -> None:
    """Of few people a small share may be nobody: then the first of them goes ahead all the same."""
    mine = select(AudiencePerson.person_id).where(AudiencePerson.broadcast_id == broadcast.id)
    if session.scalar(mine.where(AudiencePerson.wave == waves.CANARY).limit(1)) is not None:
        return
    foremost = (
        mine.join(Person, Person.id == AudiencePerson.person_id)
        .where(AudiencePerson.refusal.is_(None))
        .order_by(drawing.order(broadcast))
        .limit(1)
    )
    session.execute(
        update(AudiencePerson)
        .where(AudiencePerson.broadcast_id == broadcast.id, AudiencePerson.person_id.in_(foremost))
        .values(wave=waves.CANARY)
        .execution_options(synchronize_session=False)
    )


def _run(session: Session, broadcast: Broadcast, why: str | None = None) -> bool:
    """Nothing more to make now; with a `why`, although its wave has people left."""
    values = {"reason": why, "wave_until": waves.LOOK_AGAIN} if why else {}
    move(session, broadcast.id, [BroadcastState.MATERIALISING], BroadcastState.RUNNING, NOBODY, why=why, **values)
    return False
