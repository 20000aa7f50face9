"""The way of an outbound row: queued → wire → accepted, failed or unknown; docs/sending.md says why.

A reply is claimed on the way, see claims.py. Every change by a sender carries the attempt, and from the claim or the
wire mark on the owner, so a sender that slept too long changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.language import later
from bot.messages import statuses
from bot.messages.claims import Claimed as Claimed
from bot.messages.claims import claim as claim
from bot.messages.claims import due_numbers as due_numbers
from bot.messages.claims import release as release
from bot.messages.compose import OPTED_OUT, SWITCHED_OFF
from bot.people.preferences import NO_CHANNEL, NO_TOPIC

TOO_LATE = later("the broadcast was not to be sent any more by then")
_REASONS = {
    "switched_off": SWITCHED_OFF,
    "opted_out": OPTED_OUT,
    "no_channel": NO_CHANNEL,
    "no_topic": NO_TOPIC,
    "too_late": TOO_LATE,
}


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


# A pause or cancel that has committed is seen here, and one that comes later waits for our commit (FOR SHARE).
# Counting the broadcasts first locks them before any message, which is the order of those who pause and cancel.
_WIRE = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS smallint[]), CAST(:contents AS text[]),
                             CAST(:bodies AS text[]), CAST(:refusals AS text[]), CAST(:gaps AS boolean[]))
            AS w(id, attempt, content, body, refusal, is_gap)),
    held_broadcasts AS MATERIALIZED (
        SELECT id, state, frozen_template ->> 'category' = 'MARKETING' AS is_marketing, topic_id, not_after
          FROM broadcast WHERE id = ANY(:broadcasts) ORDER BY id FOR SHARE),
    held AS (
        SELECT m.id, m.state, m.quiet_at, m.broadcast_id, m.person_id, w.attempt, w.content, w.body, w.refusal,
               w.is_gap, p.enabled, p.marketing_opted_out_at IS NOT NULL AS opted_out
          FROM wanted w
          JOIN message m ON m.id = w.id AND (
               (m.state = 'claimed' AND m.attempt = w.attempt AND m.owner = :owner)
               OR (m.state = 'queued' AND m.attempt = w.attempt - 1 AND m.broadcast_id IS NOT NULL))
          JOIN person p ON p.id = m.person_id
         WHERE (SELECT count(*) FROM held_broadcasts) >= 0
         ORDER BY m.id
           FOR UPDATE OF m FOR SHARE OF p),
    judged AS (
        SELECT h.id, h.state, h.attempt, h.content, h.body,
               CASE WHEN b.state = 'paused' OR h.quiet_at <= now() THEN 'queued'
                    WHEN b.state = 'cancelled' THEN 'cancelled'
                    WHEN NOT h.enabled OR (h.opted_out AND b.is_marketing) OR n.reason IS NOT NULL OR h.is_gap
                         OR b.not_after <= now() THEN 'suppressed'
                    WHEN h.refusal IS NOT NULL THEN 'failed'
                    ELSE 'wire' END AS verdict,
               CASE WHEN NOT h.enabled THEN :switched_off
                    WHEN h.opted_out AND b.is_marketing THEN :opted_out
                    WHEN n.reason IS NULL AND b.not_after <= now() THEN :too_late
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
           attempt = CASE WHEN j.verdict = 'queued' THEN m.attempt ELSE j.attempt END,
           content = coalesce(CAST(j.content AS jsonb), m.content),
           body = coalesce(j.body, m.body),
           wire_at = CASE WHEN j.verdict = 'wire' THEN clock_timestamp() ELSE m.wire_at END,
           failed_at = CASE WHEN j.verdict = 'failed' THEN clock_timestamp() ELSE m.failed_at END,
           lease_until = CASE WHEN j.verdict = 'wire' THEN now() + make_interval(secs => :lease_s) END,
           owner = CASE WHEN j.verdict = 'wire' THEN :owner END,
           error_text = CASE WHEN j.verdict IN ('suppressed', 'failed') THEN j.reason ELSE m.error_text END
      FROM judged j WHERE m.id = j.id AND j.verdict <> j.state
    RETURNING m.id, m.state
""")

# The owner's definite word counts even when a sweep has called the row unknown meanwhile; a guess does not.
_RECORD = text("""
    WITH told AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS smallint[]), CAST(:states AS text[]),
                             CAST(:provider_ids AS text[]), CAST(:waits AS float8[]), CAST(:codes AS bigint[]),
                             CAST(:texts AS text[]))
            AS t(id, attempt, state, provider_message_id, not_before_s, error_code, error_text)),
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


def to_wire(session: Session, owner: str, rows: Sequence[Claimed], lease_s: float) -> list[Claimed]:
    """Mark rows as about to leave; the ones won, which must be sent once this commits.

    In the same transaction a row whose broadcast is paused goes back, of a cancelled one is cancelled, whoever was
    switched off, opted out or does not want its topic meanwhile is suppressed, as is who lacks a value or whose time is
    over, and a row with another refusal fails. Where quiet hours have begun, the row waits.
    """
    if not rows:
        return []
    once = {row.id: row for row in rows}
    verdicts = session.execute(
        _WIRE,
        {
            **_as_wired(list(once.values())),
            "broadcasts": sorted({row.broadcast_id for row in rows if row.broadcast_id is not None}),
            "owner": owner,
            "lease_s": lease_s,
            **_REASONS,
        },
    )
    won = {id_ for id_, state in verdicts if state == "wire"}
    return [row for id_, row in once.items() if id_ in won]


def record(session: Session, owner: str, results: Sequence[Result]) -> None:
    """Write down what the provider said, unless somebody knew better first; early statuses then find their message."""
    if not results:
        return
    rows = session.execute(_RECORD, {**_as_told(results), "owner": owner}).all()
    statuses.adopt(session, [(row.number_id, row.provider_message_id, row.id) for row in rows if row.has_orphans])


def sweep(session: Session) -> int:
    """Rows whose owner let the lease run out: unsent ones are queued again, the others are in doubt."""
    freed = session.execute(_SWEEP_CLAIMED)
    doubted = session.execute(_SWEEP_WIRE)
    return int(freed.rowcount) + int(doubted.rowcount)  # type: ignore[attr-defined]  # a CursorResult, untyped here


def oldest_due_s(session: Session) -> float | None:
    """Age in seconds of the reply that has waited longest past its time; None if nothing waits."""
    age = session.scalar(_OLDEST_DUE)
    return None if age is None else float(age)


def _as_wired(rows: Sequence[Claimed]) -> dict[str, Any]:
    return {
        "ids": [row.id for row in rows],
        "attempts": [row.attempt for row in rows],
        "contents": [None if row.content is None else orjson.dumps(row.content).decode() for row in rows],
        "bodies": [row.body for row in rows],
        "refusals": [row.refusal for row in rows],
        "gaps": [row.is_gap for row in rows],
    }


def _as_told(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "ids": [one.id for one in results],
        "attempts": [one.attempt for one in results],
        "states": [one.state for one in results],
        "provider_ids": [one.provider_message_id for one in results],
        "waits": [one.not_before_s for one in results],
        "codes": [one.error_code for one in results],
        "texts": [one.error_text for one in results],
    }
