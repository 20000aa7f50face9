"""Broadcasts that begin by themselves when their time has come, once, whoever's clock sees it first."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, BroadcastSegment, Template
from bot.models.segment import Segment
from bot.models.words import BroadcastState
from broadcasts.drafting import checks
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
    template = session.get_one(Template, broadcast.template_id, populate_existing=True)
    found = checks.of_launch(session, broadcast, template)
    to_state = BroadcastState.PAUSED if found else BroadcastState.MATERIALISING
    why = f"It could not begin. {' '.join(found)}" if found else "Its time has come."
    values = {"launched_at": func.clock_timestamp()}
    return move(session, broadcast.id, [BroadcastState.SCHEDULED], to_state, NOBODY, why=why, **values)
