"""What /healthz says: whether the servers answer, and whether anybody does the work that is waiting."""

from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot import queue
from bot.messages import outbox
from bot.people import ledger
from bot.runtime import Runtime

LATE_S = 120.0
"""Work that has waited longer means that nobody does it."""

_SET_ASIDE = (
    "files of webhooks in BACKCHAT_SPOOL could not be used and were renamed .corrupt: "
    "look into them, then move them away."
)

_OLDEST = text("""
    SELECT extract(epoch FROM now() - received_at) FROM webhook_event WHERE state = 'new' ORDER BY id LIMIT 1
""")


def report(rt: Runtime, spool: Mapping[str, int]) -> tuple[dict[str, Any], bool]:
    """The JSON body, and whether all is well enough for traffic; an absent Redis alone only degrades.

    `spool` is what this host's spool holds: `files` and `bytes` that wait, and `corrupt` files.
    """
    told: dict[str, Any] = {"status": "ok", "database": "ok", "redis": "ok", "spool": dict(spool), "alerts": []}
    if spool["corrupt"]:
        told["alerts"].append(f"{spool['corrupt']} {_SET_ASIDE}")
    try:
        with rt.transaction() as session:
            told["oldest_unprocessed_event_s"] = oldest_unprocessed_s(session)
            told["oldest_due_message_s"] = outbox.oldest_due_s(session)
            if ledger.is_behind(session, rt.settings.erasure_ledger):
                told["alerts"].append(ledger.HELD)
    except SQLAlchemyError:
        told["database"] = "unreachable"
    try:
        told["workers"] = queue.workers_seen(rt.redis)
    except RedisError:
        told["redis"] = "unreachable"
    ages = (told.get("oldest_unprocessed_event_s"), told.get("oldest_due_message_s"))
    is_well = told["database"] == "ok" and all(age is None or age < LATE_S for age in ages)
    if not is_well:
        told["status"] = "down"
    elif told["redis"] != "ok" or told["alerts"]:
        told["status"] = "degraded"
    return told, is_well


def oldest_unprocessed_s(session: Session) -> float | None:
    """Age in seconds of the webhook event that has waited longest; None when nothing waits."""
    age = session.scalar(_OLDEST)
    return None if age is None else float(age)
