"""What a running broadcast turns to when nobody presses anything: its end, a pause by itself, its next wave."""

from sqlalchemy import and_, exists, func, or_, select, text, update
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.message import Message
from bot.models.words import BroadcastState, MessageState
from broadcasts.audience import waves, wordings
from broadcasts.results.ledger import IS_UNMADE
from broadcasts.running import allowance, guards, winner
from broadcasts.transitions import NOBODY, move, record

_LEAVING = (BroadcastState.MATERIALISING, BroadcastState.RUNNING)
_OF_IT = Message.broadcast_id == Broadcast.id
_UNSETTLED = exists().where(_OF_IT, Message.state.in_([MessageState.QUEUED, MessageState.CLAIMED, MessageState.WIRE]))
_QUEUED = exists().where(_OF_IT, Message.state == MessageState.QUEUED)
_UNMADE = exists().where(AudiencePerson.broadcast_id == Broadcast.id, IS_UNMADE)
_UNMADE_OF_WAVE = exists().where(
    AudiencePerson.broadcast_id == Broadcast.id,
    AudiencePerson.wave == Broadcast.wave,
    AudiencePerson.person_id > Broadcast.cursor,
)
_IS_LATE = Broadcast.not_after <= func.now()
_IS_TIME = or_(Broadcast.wave_until.is_(None), Broadcast.wave_until <= func.now())
_ENDS = and_(_IS_LATE, or_(_QUEUED, _UNMADE))
_HELD = and_(_UNMADE_OF_WAVE, _IS_TIME)
_SENT = and_(_UNMADE, ~_UNMADE_OF_WAVE, ~_UNSETTLED, _IS_TIME)

_READY = select(_ENDS, _HELD, _SENT).select_from(Broadcast)


def turn(session: Session) -> int:
    """Let every running broadcast take the step it is ready for; how many did. Any number of clocks may ask."""
    ready = select(Broadcast.id).where(Broadcast.state == BroadcastState.RUNNING, or_(_ENDS, _HELD, _SENT))
    return sum(_step(session, id_) for id_ in session.scalars(ready.order_by(Broadcast.id)).all())


def watch(session: Session) -> int:
    """Pause whatever of the running broadcasts goes wrong; how many did."""
    running = select(Broadcast).where(Broadcast.state.in_(_LEAVING)).order_by(Broadcast.id)
    return sum(_stop(session, each, guards.trip(session, each)) for each in session.scalars(running).all())


def _step(session: Session, broadcast_id: int) -> bool:
    """Of several clocks one holds the row, and what was ready a moment ago is asked once more."""
    held = (
        select(Broadcast)
        .where(Broadcast.id == broadcast_id, Broadcast.state == BroadcastState.RUNNING)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    broadcast = session.scalar(held)
    if broadcast is None:
        return False
    # In a statement of its own: whoever held the row before may have made messages since the first one began.
    ends, is_held, is_sent = session.execute(_READY.where(Broadcast.id == broadcast_id)).one()
    if ends:
        return _prepare(session, broadcast, "Its end is over: whoever still waits gets nothing.")
    if is_held:
        return _try_again(session, broadcast)
    return _after_wave(session, broadcast) if is_sent else False


def _try_again(session: Session, broadcast: Broadcast) -> bool:
    room = allowance.room(session, broadcast)
    if room is None or room.people >= min(room.worth_it, _left(session, broadcast, room.worth_it)):
        return _prepare(session, broadcast, "There is room in the number's daily tier again.")
    later = {"wave_until": waves.LOOK_AGAIN, "reason": room.why_hold}
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(later))
    return False


def _left(session: Session, broadcast: Broadcast, limit: int) -> int:
    """People of its wave without a message yet, not counted beyond the limit."""
    left = select(AudiencePerson.person_id).where(
        AudiencePerson.broadcast_id == broadcast.id,
        AudiencePerson.wave == broadcast.wave,
        AudiencePerson.person_id > broadcast.cursor,
    )
    return session.scalars(select(func.count()).select_from(left.limit(limit).subquery())).one()


def _after_wave(session: Session, broadcast: Broadcast) -> bool:
    minutes = waves.minutes(broadcast)
    if broadcast.wave_until is None and minutes and _reached_anybody(session, broadcast):
        name = waves.NAMES[broadcast.wave]
        time = f"{minutes:,} minutes" if minutes > 1 else "a minute"
        why = f"The {name} is sent. The others follow after {time}, unless something is wrong."
        until = text("now() + make_interval(mins => :minutes)").bindparams(minutes=minutes)
        session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(wave_until=until, reason=why))
        record(session, broadcast.id, broadcast.state, broadcast.state, NOBODY, why)
        return True
    if _stop(session, broadcast, guards.trip(session, broadcast, fewest=1)):
        return True
    result = _choose(session, broadcast) if broadcast.wave == waves.TRIAL else None
    waves.go_on(session, broadcast)
    return _prepare(session, broadcast, result)


def _choose(session: Session, broadcast: Broadcast) -> str:
    found = winner.figures(session, broadcast, wordings.count_variants(session, broadcast))
    won = winner.choose(found).variant
    session.execute(update(Broadcast).where(Broadcast.id == broadcast.id).values(winner=won))
    return winner.in_words(found, broadcast.winner_metric or "")


def _reached_anybody(session: Session, broadcast: Broadcast) -> bool:
    found = select(Message.id).where(
        Message.broadcast_id == broadcast.id, Message.state.in_([MessageState.ACCEPTED, MessageState.FAILED])
    )
    return session.scalar(found.limit(1)) is not None


def _prepare(session: Session, broadcast: Broadcast, why: str | None) -> bool:
    running, preparing = BroadcastState.RUNNING, BroadcastState.MATERIALISING
    return move(session, broadcast.id, [running], preparing, NOBODY, why=why, wave_until=None)


def _stop(session: Session, broadcast: Broadcast, why: str | None) -> bool:
    if why is None:
        return False
    return move(session, broadcast.id, _LEAVING, BroadcastState.PAUSED, NOBODY, why=why)
