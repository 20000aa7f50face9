"""What the clock does with conversations: shares out what waits, and closes by the rule; nothing where it is off."""

import structlog
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import make_transient

from bot.conversations import assigning, at_work, closing
from bot.models.inbox import InboxPolicy
from bot.models.words import Assigning
from bot.runtime import Runtime

log = structlog.get_logger()

_BATCHES = 20


def share_out(rt: Runtime) -> None:
    """Give what waits to coaches who are there, in each environment whose policy says so."""
    for policy in _policies(rt):
        if policy.assigning == Assigning.BY_HAND:
            continue
        try:
            present = at_work.seen(rt.redis, policy.away_after_min * 60)
        except RedisError as error:
            log.warning("inbox.nobody_known_present", error=type(error).__name__)
            return
        with rt.transaction() as session:
            assigning.share_out(session, policy, present)


def close_idle(rt: Runtime) -> None:
    """Close what nobody has written in for as long as the policy of its environment says."""
    for policy in _policies(rt):
        for _ in range(_BATCHES):
            with rt.transaction() as session:
                closed = closing.close_by_rule(session, policy)
            if closed < closing.AT_ONCE:
                break


def _policies(rt: Runtime) -> list[InboxPolicy]:
    with rt.transaction() as session:
        found = list(session.scalars(select(InboxPolicy)))
        for policy in found:
            make_transient(policy)
        return found
