"""The way of an outbound row: queued → claimed → wire → accepted, failed or unknown; docs/sending.md says why.

Every change by a sender carries (owner, attempt), so a sender that slept too long changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from bot.messages import statuses
from bot.messages.compose import OPTED_OUT, SWITCHED_OFF
from bot.people.preferences import NO_CHANNEL, NO_TOPIC


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row this owner holds; it has certainly not been sent in this attempt."""

    id: int
    attempt: int
    person_id: int
    broadcast_id: int | None
    to_address: str
    content: Mapping[str, Any] | None
    body: str | None = None
    refusal: str | None = None
    """Why nothing can be sent to this person; the row then fails instead of leaving."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt: `state` is accepted, failed, unknown, or queued again `not_before_s` from now."""

    id: int
    attempt: int
    state: str
    provider_message_id: str | None = None
    not_before_s: float | None = None
    error_code: int | None = None
    error_text: str | None = None


# Asked all the time, so it stops at each number's first message that nothing holds up, as _CLAIM_REPLIES means it.
_DUE_NUMBERS = text("""
    SELECT n.id FROM number n
     WHERE EXISTS (
        SELECT 1 FROM message m
         WHERE m.number_id = n.id AND m.state = 'queued' AND m.broadcast_id IS NULL
           AND (m.not_before IS NULL OR m.not_before <= now())
           AND NOT EXISTS (
               SELECT 1 FROM message earlier
                WHERE earlier.person_id = m.person_id AND earlier.number_id = m.number_id AND earlier.id < m.id
                  AND earlier.state IN ('queued', 'claimed', 'wire') AND earlier.broadcast_id IS NULL))
    UNION
    SELECT b.number_id FROM broadcast b
     WHERE b.state = 'running' AND EXISTS (
        SELECT 1 FROM message m WHERE m.broadcast_id = b.id AND m.state = 'queued'
           AND (m.not_before IS NULL OR m.not_before <= now()))
""")

# A reply waits for the person's earlier one, so that two messages never overtake each other.
_CLAIM_REPLIES = text("""
    WITH due AS (
        SELECT m.id FROM message m
         WHERE m.number_id = :number_id AND m.state = 'queued' AND m.broadcast_id IS NULL
           AND (m.not_before IS NULL OR m.not_before <= now())
           AND NOT EXISTS (
               SELECT 1 FROM message earlier
                WHERE earlier.person_id = m.person_id AND earlier.number_id = m.number_id AND earlier.id < m.id
                  AND earlier.state IN ('queued', 'claimed', 'wire') AND earlier.broadcast_id IS NULL)
         ORDER BY m.priority, m.id
         LIMIT :want
           FOR UPDATE OF m SKIP LOCKED)
    UPDATE message m
       SET state = 'claimed', owner = :owner, attempt = m.attempt + 1,
           lease_until = now() + make_interval(secs => :lease_s)
      FROM due WHERE m.id = due.id
    RETURNING m.id, m.attempt, m.person_id, m.broadcast_id, m.to_address, m.content, m.body
""")

_CLAIM_BROADCAST = text("""
    WITH due AS (
        SELECT id FROM message
         WHERE broadcast_id = :broadcast_id AND state = 'queued' AND (not_before IS NULL OR not_before <= now())
         ORDER BY id
         LIMIT :want
           FOR UPDATE SKIP LOCKED)
    UPDATE message m
       SET state = 'claimed', owner = :owner, attempt = m.attempt + 1,
           lease_until = now() + make_interval(secs => :lease_s)
      FROM due WHERE m.id = due.id
    RETURNING m.id, m.attempt, m.person_id, m.broadcast_id, m.to_address, m.content, m.body
""")

# A claim that a power cut undoes leaves its rows queued, as they were, so it does not wait for the disk. The wire mark
# does, and what was logged before it is durable with it: no row leaves of which anybody could think it is still queued.
_CLAIM_MAY_BE_LOST = text("SET LOCAL synchronous_commit = off")

_RUNNING = text("SELECT id FROM broadcast WHERE number_id = :number_id AND state = 'running' ORDER BY id")

# A pause or cancel that has committed is seen here, and one that comes later waits for our commit (FOR SHARE).
# Counting the broadcasts first locks them before any message, which is the order of those who pause and cancel.
_WIRE = text("""
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
            AS w(id bigint, attempt smallint, content jsonb, body text, refusal text)),
    held_broadcasts AS MATERIALIZED (
        SELECT id, state, frozen_template ->> 'category' = 'MARKETING' AS is_marketing, topic_id
          FROM broadcast WHERE id = ANY(:broadcasts) ORDER BY id FOR SHARE),
    held AS (
        SELECT m.id, w.content, w.body, w.refusal, p.enabled, m.broadcast_id, m.person_id,
               p.marketing_opted_out_at IS NOT NULL AS opted_out
          FROM wanted w
          JOIN message m ON m.id = w.id AND m.attempt = w.attempt AND m.owner = :owner AND m.state = 'claimed'
          JOIN person p ON p.id = m.person_id
         WHERE (SELECT count(*) FROM held_broadcasts) >= 0
         ORDER BY m.id
           FOR UPDATE OF m FOR SHARE OF p),
    judged AS (
        SELECT h.id, h.content, h.body,
               CASE WHEN b.state IN ('paused', 'materialising') THEN 'queued'
                    WHEN b.state = 'cancelled' THEN 'cancelled'
                    WHEN NOT h.enabled OR (h.opted_out AND b.is_marketing) OR n.reason IS NOT NULL THEN 'suppressed'
                    WHEN h.refusal IS NOT NULL THEN 'failed'
                    ELSE 'wire' END AS verdict,
               CASE WHEN NOT h.enabled THEN :switched_off
                    WHEN h.opted_out AND b.is_marketing THEN :opted_out
                    ELSE coalesce(n.reason, h.refusal) END AS reason
          FROM held h LEFT JOIN held_broadcasts b ON b.id = h.broadcast_id LEFT JOIN LATERAL (
            SELECT CASE WHEN topic_id IS NULL THEN :no_channel ELSE :no_topic END AS reason
              FROM preference
             WHERE b.id IS NOT NULL AND person_id = h.person_id AND channel = 'whatsapp' AND NOT wants
               AND (preference.topic_id = b.topic_id
                    OR (preference.topic_id IS NULL AND (b.is_marketing OR b.topic_id IS NOT NULL)))
             ORDER BY preference.topic_id NULLS FIRST LIMIT 1) n ON true)
    UPDATE message m
       SET state = j.verdict,
           content = coalesce(j.content, m.content),
           body = coalesce(j.body, m.body),
           wire_at = CASE WHEN j.verdict = 'wire' THEN clock_timestamp() ELSE m.wire_at END,
           failed_at = CASE WHEN j.verdict = 'failed' THEN clock_timestamp() ELSE m.failed_at END,
           lease_until = CASE WHEN j.verdict = 'wire' THEN now() + make_interval(secs => :lease_s) END,
           owner = CASE WHEN j.verdict = 'wire' THEN m.owner END,
           error_text = CASE WHEN j.verdict IN ('suppressed', 'failed') THEN j.reason ELSE m.error_text END
      FROM judged j WHERE m.id = j.id
    RETURNING m.id, m.state
""")

# The owner's definite word counts even when a sweep has called the row unknown meanwhile; a guess does not.
_RECORD = text("""
    WITH told AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
            AS t(id bigint, attempt smallint, state text, provider_message_id text, not_before_s float8,
                 error_code bigint, error_text text)),
    held AS (
        SELECT m.id, t.state, t.provider_message_id, t.not_before_s, t.error_code, t.error_text
          FROM told t
          JOIN message m ON m.id = t.id AND m.attempt = t.attempt AND m.owner = :owner
                        AND m.state IN ('wire', 'unknown')
         ORDER BY m.id
           FOR UPDATE OF m)
    UPDATE message m
       SET state = h.state,
           provider_message_id = coalesce(h.provider_message_id, m.provider_message_id),
           accepted_at = CASE WHEN h.state = 'accepted' THEN clock_timestamp() ELSE m.accepted_at END,
           evidence = CASE WHEN h.state = 'accepted' THEN 'response' ELSE m.evidence END,
           failed_at = CASE WHEN h.state = 'failed' THEN clock_timestamp() ELSE m.failed_at END,
           unknown_at = CASE WHEN h.state = 'unknown' THEN clock_timestamp() ELSE m.unknown_at END,
           not_before = CASE WHEN h.state = 'queued' THEN now() + make_interval(secs => coalesce(h.not_before_s, 0))
                             ELSE m.not_before END,
           lease_until = NULL,
           error_code = h.error_code,
           error_text = h.error_text
      FROM held h WHERE m.id = h.id
    RETURNING m.id, m.state, m.number_id, m.provider_message_id,
              EXISTS (SELECT FROM status_event e
                       WHERE e.number_id = m.number_id AND e.provider_message_id = m.provider_message_id
                         AND e.message_id IS NULL) AS has_orphans
""")

_RELEASE = text("""
    UPDATE message SET state = 'queued', owner = NULL, lease_until = NULL, attempt = attempt - 1
     WHERE id = ANY(:ids) AND owner = :owner AND state = 'claimed'
""")

_SWEEP_CLAIMED = text("""
    UPDATE message SET state = 'queued', owner = NULL, lease_until = NULL
     WHERE id IN (SELECT id FROM message WHERE state = 'claimed' AND lease_until < now() FOR UPDATE SKIP LOCKED)
""")

_SWEEP_WIRE = text("""
    UPDATE message SET state = 'unknown', unknown_at = now(), lease_until = NULL
     WHERE id IN (SELECT id FROM message WHERE state = 'wire' AND lease_until < now() FOR UPDATE SKIP LOCKED)
""")

_OLDEST_DUE = text("""
    SELECT extract(epoch FROM now() - min(coalesce(not_before, created_at)))
      FROM message
     WHERE state = 'queued' AND broadcast_id IS NULL AND (not_before IS NULL OR not_before <= now())
""")


def due_numbers(session: Session) -> list[int]:
    return list(session.scalars(_DUE_NUMBERS))


def claim(session: Session, number_id: int, owner: str, want: int, lease_s: float) -> list[Claimed]:
    """Take up to `want` due rows: replies first, what is left shared evenly among the running broadcasts.

    In a transaction of its own: what else it wrote could be lost with the claim.
    """
    session.execute(_CLAIM_MAY_BE_LOST)
    common = {"owner": owner, "lease_s": lease_s}
    rows = _claimed(session, _CLAIM_REPLIES, number_id=number_id, want=want, **common)
    waiting = list(session.scalars(_RUNNING, {"number_id": number_id}))
    while waiting and len(rows) < want:
        share = -(-(want - len(rows)) // len(waiting))
        broadcast_id = waiting.pop()
        rows += _claimed(session, _CLAIM_BROADCAST, broadcast_id=broadcast_id, want=share, **common)
    return rows


def to_wire(session: Session, owner: str, rows: Sequence[Claimed], lease_s: float) -> list[Claimed]:
    """Mark rows as about to leave; the ones won, which must be sent once this commits.

    In the same transaction a row whose broadcast is paused goes back, of a cancelled one is cancelled, whoever was
    switched off, opted out or does not want its topic meanwhile is suppressed, and a row with a refusal fails.
    """
    if not rows:
        return []
    verdicts = session.execute(
        _WIRE,
        {
            "rows": orjson.dumps([_as_wired(row) for row in rows]).decode(),
            "broadcasts": sorted({row.broadcast_id for row in rows if row.broadcast_id is not None}),
            "owner": owner,
            "lease_s": lease_s,
            "switched_off": SWITCHED_OFF,
            "opted_out": OPTED_OUT,
            "no_channel": NO_CHANNEL,
            "no_topic": NO_TOPIC,
        },
    )
    won = {id_ for id_, state in verdicts if state == "wire"}
    return [row for row in rows if row.id in won]


def record(session: Session, owner: str, results: Sequence[Result]) -> None:
    """Write down what the provider said, unless somebody knew better first; early statuses then find their message."""
    if not results:
        return
    told = orjson.dumps(results).decode()
    rows = session.execute(_RECORD, {"rows": told, "owner": owner}).all()
    statuses.adopt(session, [(row.number_id, row.provider_message_id, row.id) for row in rows if row.has_orphans])


def release(session: Session, owner: str, rows: Sequence[Claimed]) -> None:
    """Give back rows that never reached the wire."""
    if rows:
        session.execute(_RELEASE, {"ids": [r.id for r in rows], "owner": owner})


def sweep(session: Session) -> int:
    """Rows whose owner let the lease run out: unsent ones are queued again, the others are in doubt."""
    freed = session.execute(_SWEEP_CLAIMED)
    doubted = session.execute(_SWEEP_WIRE)
    return int(freed.rowcount) + int(doubted.rowcount)  # type: ignore[attr-defined]  # a CursorResult, untyped here


def oldest_due_s(session: Session) -> float | None:
    """Age in seconds of the reply that has waited longest past its time; None if nothing waits."""
    age = session.scalar(_OLDEST_DUE)
    return None if age is None else float(age)


def _claimed(session: Session, statement: Any, **values: object) -> list[Claimed]:  # noqa: ANN401 (a TextClause)
    return sorted((_as_claimed(row) for row in session.execute(statement, values)), key=lambda row: row.id)


def _as_claimed(row: Row[Any]) -> Claimed:
    return Claimed(row.id, row.attempt, row.person_id, row.broadcast_id, row.to_address, row.content, row.body)


def _as_wired(row: Claimed) -> dict[str, Any]:
    return {"id": row.id, "attempt": row.attempt, "content": row.content, "body": row.body, "refusal": row.refusal}
