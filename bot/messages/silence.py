"""Ends doubt by silence: of what was sent at the same time everything was reported on, and of this one nothing.

Only while reports demonstrably come in: with the webhook channel down nothing can be concluded, and the doubt stays.
Whoever is presumed unsent is written to again only if a person, or the broadcast's own setting, says so.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

AUTHENTICATION: Final = "AUTHENTICATION"
"""A code that comes twice is worse than none, so these are never sent again by themselves."""

_AT_ONCE = 50
"""Of those in doubt, at each look; drawn by lot, so that one nothing can be said of holds up nobody."""

# Neighbours by id left at about the same time, for rows are claimed in the order of their ids.
_PRESUME = text("""
    WITH heard AS (
        SELECT DISTINCT number_id
          FROM (SELECT number_id, created_at FROM status_event ORDER BY id DESC LIMIT 5000) newest
         WHERE created_at > now() - interval '60 s'),
    doubted AS MATERIALIZED (
        SELECT m.id, m.number_id, m.wire_at FROM message m JOIN heard USING (number_id)
         WHERE m.state = 'unknown' AND m.wire_at < now() - CAST(:window AS interval)
         ORDER BY random() LIMIT :at_once),
    silent AS (
        SELECT d.id FROM doubted d CROSS JOIN LATERAL (
            SELECT count(*) AS sent,
                   count(*) FILTER (WHERE delivery_level > 0 OR failed_at IS NOT NULL) AS told,
                   percentile_disc(0.99) WITHIN GROUP (
                       ORDER BY coalesce(least(sent_at, delivered_at, read_at, failed_at) - accepted_at, '0')) AS delay
              FROM message m
             WHERE m.id BETWEEN d.id - 2000 AND d.id + 2000 AND m.number_id = d.number_id
               AND m.evidence = 'response'
               AND m.accepted_at BETWEEN d.wire_at - interval '5 min' AND d.wire_at + interval '5 min') around
         WHERE around.sent >= 10 AND around.told >= 0.99 * around.sent AND d.wire_at < now() - 10 * around.delay)
    UPDATE message m SET state = 'presumed_unsent', lease_until = NULL
      FROM silent WHERE m.id = silent.id AND m.state = 'unknown'
    RETURNING m.id
""")

_RELEASE = """
    UPDATE message m
       SET state = 'queued', possible_duplicate = true, owner = NULL, lease_until = NULL, not_before = NULL
      FROM broadcast b
     WHERE b.id = m.broadcast_id AND m.state = 'presumed_unsent' AND {which}
    RETURNING m.id
"""
_RELEASE_OF = text(_RELEASE.format(which="b.id = :broadcast_id"))

# Once: what comes into doubt a second time waits for a person.
_RELEASE_BY_SETTING = text(
    _RELEASE.format(
        which="b.resends_unsent AND NOT m.possible_duplicate AND b.state IN ('running', 'finished')"
        f" AND b.frozen_template ->> 'category' <> '{AUTHENTICATION}'"
    )
)


def conclude(session: Session, window: timedelta) -> int:
    """Presume unsent what nobody reported on for the `window`, and queue again what its broadcast wants to be."""
    found = len(session.execute(_PRESUME, {"window": window, "at_once": _AT_ONCE}).all())
    session.execute(_RELEASE_BY_SETTING)
    return found


def release(session: Session, broadcast_id: int) -> int:
    """Queue again those of a broadcast who are presumed unsent, marked as perhaps a second one; ring "send"."""
    return len(session.execute(_RELEASE_OF, {"broadcast_id": broadcast_id}).all())
