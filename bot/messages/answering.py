"""A human's answer, told to its thread: nobody waits there any more, and a coach who answers looks after it."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import live
from bot.models.words import AuthorKind

HERE = frozenset({AuthorKind.COACH, AuthorKind.API})
"""Humans who answer through us; somebody in the phone app answers elsewhere, and we are told later."""

# Whoever answers here saw all that had come in, so no times are compared: a phone's clock may be ahead of ours.
_ANSWER = text("""
    WITH answered AS (
        SELECT DISTINCT ON (c.id) c.id, c.environment, m.operator_id, c.state = 'open' AND c.assigned_to_id IS NULL
               AND m.operator_id IS NOT NULL AS is_free
          FROM message m JOIN conversation c ON c.person_id = m.person_id AND c.number_id = m.number_id
         WHERE m.id = ANY(CAST(:ids AS bigint[])) AND m.state <> 'suppressed' AND m.kind <> 'reaction'
         ORDER BY c.id, m.id),
    first AS (
        UPDATE episode e
           SET first_reply_at = greatest(clock_timestamp(), e.opened_at), first_reply_operator_id = a.operator_id
          FROM answered a
         WHERE e.conversation_id = a.id AND e.closed_at IS NULL AND e.first_reply_at IS NULL),
    taken AS (
        INSERT INTO assignment (conversation_id, to_operator_id, by_operator_id, rule)
        SELECT id, operator_id, operator_id, 'reply' FROM answered WHERE is_free)
    UPDATE conversation c
       SET waiting_since = NULL,
           assigned_to_id = CASE WHEN a.is_free THEN a.operator_id ELSE c.assigned_to_id END,
           assigned_at = CASE WHEN a.is_free THEN clock_timestamp() ELSE c.assigned_at END
      FROM answered a
     WHERE c.id = a.id
    RETURNING c.environment
""")

# What was written after the echo has still to be answered, in whichever order the two were heard of.
_ANSWERED_ELSEWHERE = text("""
    WITH answered AS (
        SELECT c.id, min(m.occurred_at) AS first_at, max(m.occurred_at) AS last_at
          FROM message m JOIN conversation c ON c.person_id = m.person_id AND c.number_id = m.number_id
         WHERE m.id = ANY(CAST(:ids AS bigint[])) AND c.state = 'open' AND m.kind <> 'reaction'
         GROUP BY c.id),
    first AS (
        UPDATE episode e SET first_reply_at = greatest(a.first_at, e.opened_at)
          FROM answered a
         WHERE e.conversation_id = a.id AND e.closed_at IS NULL AND a.last_at >= e.opened_at
           AND (e.first_reply_at IS NULL OR e.first_reply_at > greatest(a.first_at, e.opened_at)))
    UPDATE conversation c
       SET waiting_since = (
               SELECT min(m.occurred_at) FROM message m
                WHERE m.person_id = c.person_id AND m.number_id = c.number_id AND m.occurred_at > a.last_at
                  AND m.direction = 'in' AND m.kind <> ALL(CAST(:silent AS text[])))
      FROM answered a
     WHERE c.id = a.id AND c.waiting_since <= a.last_at
    RETURNING c.environment
""")


def here(session: Session, message_ids: Sequence[int]) -> None:
    """Coaches or programs have written these messages just now."""
    _tell(session, session.scalars(_ANSWER, {"ids": list(message_ids)}).all())


def elsewhere(session: Session, message_ids: Sequence[int], silent: frozenset[str]) -> None:
    """Somebody wrote these in the phone app; `silent` kinds of what comes in ask for no answer."""
    if message_ids:
        told = {"ids": list(message_ids), "silent": sorted(silent)}
        _tell(session, session.scalars(_ANSWERED_ELSEWHERE, told).all())


def _tell(session: Session, environments: Sequence[str]) -> None:
    for environment in sorted(set(environments)):
        live.tell(session, live.inbox(environment))
