"""A broadcast like another one: its words and settings, not its times and not what became of it."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _
from bot.models.broadcast import Broadcast, BroadcastSegment, BroadcastWording, Template
from bot.models.words import BroadcastOrigin, BroadcastState
from broadcasts.broadcasts import BroadcastError, get
from broadcasts.transitions import Actor, record

LONGEST_NAME: Final = 100

_TAKEN_OVER: Final = (
    *("environment", "number_id", "template_id", "topic_id", "slots"),
    *("heeds_quiet_hours", "heeds_frequency", "skips_gaps", "resends_unsent", "pace_per_s", "tier_percent"),
    *("canary_percent", "canary_minutes", "stop_failed_percent", "stop_opt_out_percent"),
    *("holdout_percent", "trial_percent", "winner_metric", "winner_minutes"),
)


def duplicate(session: Session, broadcast_id: int, actor: Actor, why: str | None = None) -> Broadcast:
    """A draft to change and launch anew; raises BroadcastError for a test send, which has no segments of its own."""
    original = get(session, broadcast_id)
    if original.origin == BroadcastOrigin.TEST:
        raise BroadcastError(_("“%(name)s” only tried out another broadcast: duplicate that one.", name=original.name))
    made = copy(session, original, f"Copy of {original.name}", BroadcastOrigin.COPY, state=BroadcastState.DRAFT)
    told = f"A copy of “{original.name}”." + (f" {why}" if why else "")
    record(session, made.id, BroadcastState.DRAFT, BroadcastState.DRAFT, actor, told)
    return made


def copy(
    session: Session,
    original: Broadcast,
    name: str,
    origin: BroadcastOrigin,
    **columns: Any,  # noqa: ANN401 (what differs)
) -> Broadcast:
    """With its segments and wordings; those keep their frozen templates where the copy has one of its own."""
    taken = {column: getattr(original, column) for column in _TAKEN_OVER}
    made = Broadcast(**(taken | {"name": name[:LONGEST_NAME], "origin": origin, "parent_id": original.id} | columns))
    made.segments = [
        BroadcastSegment(segment_id=each.segment_id, environment=each.environment, role=each.role)
        for each in original.segments
    ]
    session.add(made)
    session.flush()
    is_launched = made.frozen_template is not None
    for each in _wordings(session, original):
        words = {"variant": each.variant, "language": each.language, "template_id": each.template_id}
        frozen = each.frozen_template if is_launched else None
        session.add(BroadcastWording(broadcast_id=made.id, slots=dict(each.slots), frozen_template=frozen, **words))
    session.flush()
    return made


def templates_of(session: Session, broadcast: Broadcast) -> list[Template]:
    """Those of its other wordings."""
    return [session.get_one(Template, each.template_id) for each in _wordings(session, broadcast)]


def _wordings(session: Session, broadcast: Broadcast) -> Sequence[BroadcastWording]:
    mine = select(BroadcastWording).where(BroadcastWording.broadcast_id == broadcast.id)
    return session.scalars(mine.order_by(BroadcastWording.id)).all()
