"""The cap on how much marketing anybody gets: who had as many broadcasts' messages lately as the policy allows."""

from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from bot.language import later
from bot.messages import policy
from bot.models.broadcast import Broadcast, Template
from bot.models.message import Message
from bot.models.words import BroadcastOrigin, MessageState

MARKETING = "MARKETING"
ENOUGH = later("got as many marketing messages lately as the policy allows")


def written_to_enough(session: Session, broadcast: Broadcast, now: datetime) -> Select[int] | None:
    """Ids of people who get none of this broadcast for it; None where no cap applies to it.

    What is still waiting elsewhere does not count: whoever gets it may be over the cap by that.
    """
    rules = policy.of(session, broadcast.environment)
    if rules.frequency_messages is None or not broadcast.heeds_frequency or not _is_marketing(session, broadcast):
        return None
    since = now - timedelta(days=rules.frequency_days)
    counted = select(Broadcast.id).where(
        Broadcast.environment == broadcast.environment,
        Broadcast.launched_at.is_not(None),
        Broadcast.origin != BroadcastOrigin.TEST,
        Broadcast.frozen_template["category"].astext == MARKETING,
        or_(Broadcast.finished_at.is_(None), Broadcast.finished_at > since),
    )
    return (
        select(Message.person_id)
        .where(
            Message.broadcast_id.in_(counted),
            Message.state == MessageState.ACCEPTED.value,
            Message.accepted_at > since,
        )
        .group_by(Message.person_id)
        .having(func.count() >= rules.frequency_messages)
    )


def _is_marketing(session: Session, broadcast: Broadcast) -> bool:
    frozen = broadcast.frozen_template
    return (frozen["category"] if frozen else session.get_one(Template, broadcast.template_id).category) == MARKETING
