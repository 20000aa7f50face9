"""Closing many conversations: by a coach, who may undo it for a minute, or by the rule, hours after the last word."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, text
from sqlalchemy.orm import Session

from bot import live
from bot.models.inbox import BulkClose, InboxPolicy

AT_ONCE = 500
"""Conversations of one transaction."""
MOST = 5_000
"""Conversations that one click closes."""
UNDO = timedelta(minutes=1)
_GRACE = timedelta(seconds=15)
"""For the way of a click that came in the last second."""

# Held in one order, so that a message that comes just now goes before, and keeps it open, or after, and reopens it.
_END = """
    ended AS (
        UPDATE episode e
           SET closed_at = greatest(clock_timestamp(), e.opened_at), closed_by_operator_id = :operator_id,
               closed_by_rule = :by_rule,
               closed_without_reply = NOT EXISTS (
                   SELECT FROM message m
                    WHERE m.person_id = h.person_id AND m.number_id = h.number_id
                      AND m.author_kind IN ('coach', 'app') AND m.occurred_at >= e.opened_at)
          FROM held h
         WHERE e.conversation_id = h.id AND e.closed_at IS NULL)
    UPDATE conversation c SET state = 'closed', unread_count = 0, waiting_since = NULL FROM held h WHERE c.id = h.id
    RETURNING c.id
"""

_CLOSE = text(f"""
    WITH held AS (
        SELECT * FROM conversation
         WHERE id = ANY(CAST(:ids AS bigint[])) AND environment = :environment AND state = 'open'
         ORDER BY id FOR UPDATE),
    kept AS (
        INSERT INTO bulk_closed (bulk_close_id, conversation_id, episode_id, waiting_since, unread_count)
        SELECT :bulk_close_id, h.id, e.id, h.waiting_since, h.unread_count
          FROM held h JOIN episode e ON e.conversation_id = h.id AND e.closed_at IS NULL),
    {_END}
""")  # noqa: S608 (put together from constants)

_CLOSE_BY_RULE = text(f"""
    WITH held AS (
        SELECT * FROM conversation
         WHERE environment = :environment AND state = 'open'
           AND last_message_at < clock_timestamp() - make_interval(hours => CAST(:hours AS integer))
         ORDER BY last_message_at LIMIT :limit FOR UPDATE SKIP LOCKED),
    {_END}
""")  # noqa: S608 (put together from constants)

_BEGIN_UNDO = text("""
    UPDATE bulk_close SET undone_at = clock_timestamp()
     WHERE id = :id AND operator_id = :operator_id AND undone_at IS NULL AND at > clock_timestamp() - :within
    RETURNING environment
""")

# What somebody has opened since, or the person by writing, is left as it is.
_UNDO = text("""
    WITH held AS (
        SELECT c.id, b.episode_id, b.waiting_since, b.unread_count
          FROM bulk_closed b JOIN conversation c ON c.id = b.conversation_id
         WHERE b.bulk_close_id = :id AND c.state = 'closed' AND NOT EXISTS (
               SELECT FROM episode e WHERE e.conversation_id = c.id AND e.id > b.episode_id)
         ORDER BY c.id FOR UPDATE OF c),
    again AS (
        UPDATE episode e SET closed_at = NULL, closed_by_operator_id = NULL, closed_without_reply = NULL
          FROM held h WHERE e.id = h.episode_id)
    UPDATE conversation c SET state = 'open', waiting_since = h.waiting_since, unread_count = h.unread_count
      FROM held h WHERE c.id = h.id
    RETURNING c.id
""")


def begin(session: Session, environment: str, operator_id: int) -> int:
    """The id that one undo takes back; what older ones would need is forgotten."""
    session.execute(delete(BulkClose).where(BulkClose.at < func.now() - timedelta(days=1)))
    bulk = BulkClose(environment=environment, operator_id=operator_id)
    session.add(bulk)
    session.flush()
    return bulk.id


def close(session: Session, bulk_close_id: int, environment: str, ids: Sequence[int], operator_id: int) -> int:
    """Close those of them that are open, as one closed by hand; how many there were."""
    told = {"bulk_close_id": bulk_close_id, "environment": environment, "ids": list(ids)}
    closed = session.scalars(_CLOSE, {**told, "operator_id": operator_id, "by_rule": False}).all()
    _tell(session, environment, closed)
    return len(closed)


def undo(session: Session, bulk_close_id: int, operator_id: int) -> int | None:
    """Open again what was closed at once, as if it never had been; None if it is too late, or undone already."""
    told = {"id": bulk_close_id, "operator_id": operator_id, "within": UNDO + _GRACE}
    environment = session.scalar(_BEGIN_UNDO, told)
    if environment is None:
        return None
    again = session.scalars(_UNDO, {"id": bulk_close_id}).all()
    _tell(session, environment, again)
    return len(again)


def close_by_rule(session: Session, policy: InboxPolicy) -> int:
    """Close what nobody has written in for the policy's hours; how many, AT_ONCE at most."""
    if policy.close_after_h is None:
        return 0
    told = {"environment": policy.environment, "hours": policy.close_after_h, "limit": AT_ONCE}
    closed = session.scalars(_CLOSE_BY_RULE, {**told, "operator_id": None, "by_rule": True}).all()
    _tell(session, policy.environment, closed)
    return len(closed)


def _tell(session: Session, environment: str, ids: Sequence[int]) -> None:
    if ids:
        live.tell(session, live.inbox(environment))
    for id_ in ids:
        live.tell(session, live.thread(id_))
