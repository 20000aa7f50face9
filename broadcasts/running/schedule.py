"""Broadcasts that begin by themselves when their time has come, once, whoever's clock sees it first."""

from collections.abc import Iterator

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, BroadcastSegment, Template
from bot.models.connection import Number
from bot.models.segment import Segment
from bot.models.webhook import Alert
from bot.models.words import BroadcastState, Severity
from broadcasts.drafting import checks
from broadcasts.preflight import gate
from broadcasts.transitions import NOBODY, move


def begin_due(session: Session) -> int:
    """How many began. Of one that cannot be sent any more, that is a pause, with the reason."""
    due = select(Broadcast.id).where(Broadcast.state == BroadcastState.SCHEDULED, Broadcast.scheduled_at <= func.now())
    return sum(_begin(session, id_) for id_ in session.scalars(due.order_by(Broadcast.id)).all())


def _begin(session: Session, broadcast_id: int) -> bool:
    # As at a launch: an import adds everybody before the beginning or after it.
    mine = select(BroadcastSegment.segment_id).where(BroadcastSegment.broadcast_id == broadcast_id)
    session.execute(select(Segment.id).where(Segment.id.in_(mine)).order_by(Segment.id).with_for_update())
    broadcast = session.scalar(
        select(Broadcast)
        .where(Broadcast.id == broadcast_id, Broadcast.state == BroadcastState.SCHEDULED)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if broadcast is None:
        return False
    if found := _in_the_way(session, broadcast):
        # Not launched yet: whoever resumes it lets it be looked at once more, and begin if that is put right.
        why = f"It could not begin. {' '.join(found)} Put that right and resume it, or make it a draft again."
        return move(session, broadcast.id, [BroadcastState.SCHEDULED], BroadcastState.PAUSED, NOBODY, why=why)
    values = {"launched_at": func.clock_timestamp()}
    to_state, why = BroadcastState.MATERIALISING, "Its time has come."
    return move(session, broadcast.id, [BroadcastState.SCHEDULED], to_state, NOBODY, why=why, **values)


def _in_the_way(session: Session, broadcast: Broadcast) -> list[str]:
    """What nobody could know when it was launched: people, templates and accounts change until the time has come."""
    template = session.get_one(Template, broadcast.template_id, populate_existing=True)
    found = [*checks.of_launch(session, broadcast, template), *_of_account(session, broadcast)]
    return found or gate.look(session, broadcast)[1]


def _of_account(session: Session, broadcast: Broadcast) -> Iterator[str]:
    """What its provider said against its number or the whole account, the newest, if nobody has dealt with it."""
    number = session.get_one(Number, broadcast.number_id)
    against = select(Alert.text).where(
        Alert.connection_id == number.connection_id,
        or_(Alert.number_id.is_(None), Alert.number_id == number.id),
        Alert.severity == Severity.CRITICAL,
        Alert.resolved_at.is_(None),
        ~Alert.kind.startswith("webhook."),  # ours, of what comes in
    )
    said = session.scalar(against.order_by(Alert.id.desc()).limit(1))
    if said is not None:
        yield f"Of {number.phone} the provider said: “{said}” Mark that alert as dealt with once it is over."
