"""Who did what, written down once for each day, with what had been sent to them last before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

LINEAGE_DAYS: Final = 7
"""What was sent longer ago is not said to have led to anything."""

# A provider tells whole seconds, so that a quick answer may seem to come before what it answers. A journey's message
# is named by its run and the step: j:<run>:<index>.
_LAST_SENT = f"""
    SELECT m.id, m.number_id, m.author_kind,
           CASE m.author_kind WHEN 'stack' THEN m.journey_id WHEN 'coach' THEN m.operator_id
                WHEN 'reminder' THEN m.reminder_id WHEN 'api' THEN m.token_id
                WHEN 'broadcast' THEN m.broadcast_id ELSE 0 END AS author_id,
           CASE WHEN m.source_key ~ '^j:[0-9]+:[0-9]+' THEN split_part(m.source_key, ':', 3)::int + 1 END AS author_step
      FROM message m
     WHERE m.person_id = s.person_id AND m.direction = 'out' AND m.state <> 'failed'
       AND m.accepted_at < s.at + interval '1 second'
       AND m.accepted_at >= s.at - interval '{LINEAGE_DAYS} days'
     ORDER BY m.accepted_at DESC, m.id DESC LIMIT 1
"""  # noqa: S608 (ours)

# Whoever cuts a behaviour's days anew is waited for, and waits.
_RECORD = text(f"""
    WITH zoned AS MATERIALIZED (
        SELECT id, time_zone FROM behaviour WHERE id = ANY(CAST(:behaviours AS bigint[])) FOR KEY SHARE)
    INSERT INTO behaviour_day AS d (behaviour_id, person_id, day, environment, at, number_id, author_kind, author_id,
                                    author_step, after_message_id)
    SELECT s.behaviour_id, s.person_id, s.day, :environment, s.at, coalesce(s.number_id, m.number_id),
           coalesce(m.author_kind, ''), coalesce(m.author_id, 0), m.author_step, m.id
      FROM (SELECT DISTINCT ON (t.person_id, t.behaviour_id, t.day) t.*
              FROM (SELECT u.*, (u.at AT TIME ZONE b.time_zone)::date AS day
                      FROM unnest(CAST(:behaviours AS bigint[]), CAST(:people AS bigint[]),
                                  CAST(:numbers AS bigint[]), CAST(:times AS timestamptz[]))
                        AS u(behaviour_id, person_id, number_id, at)
                      JOIN zoned b ON b.id = u.behaviour_id) t
             ORDER BY t.person_id, t.behaviour_id, t.day, t.at) s
      LEFT JOIN LATERAL ({_LAST_SENT}) m ON true
     ORDER BY s.person_id, s.behaviour_id, s.day
    ON CONFLICT (behaviour_id, person_id, day) DO UPDATE
       SET at = excluded.at, number_id = excluded.number_id, author_kind = excluded.author_kind,
           author_id = excluded.author_id, author_step = excluded.author_step,
           after_message_id = excluded.after_message_id
     WHERE excluded.at < d.at
""")  # noqa: S608 (ours)

_HAD_BEFORE = text("""
    INSERT INTO behaviour_day (behaviour_id, person_id, day, environment, at, author_kind, author_id)
    SELECT :behaviour, p.id, '-infinity', :environment, '-infinity', '', 0
      FROM unnest(CAST(:people AS bigint[])) AS p(id)
     WHERE NOT EXISTS (SELECT FROM behaviour_day d WHERE d.behaviour_id = :behaviour AND d.person_id = p.id)
     ORDER BY p.id
    ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class Done:
    """Somebody did what a behaviour asks; `number_id` where it came in at one."""

    behaviour_id: int
    person_id: int
    at: datetime
    number_id: int | None = None


def record(session: Session, environment: str, done: Sequence[Done]) -> None:
    """In any order and as often as you like: of a day the first time is kept."""
    if not done:
        return
    given = {
        "environment": environment,
        "behaviours": [each.behaviour_id for each in done],
        "people": [each.person_id for each in done],
        "numbers": [each.number_id for each in done],
        "times": [each.at for each in done],
    }
    session.execute(_RECORD, given)


def had_before(session: Session, environment: str, behaviour_id: int, people: Sequence[int]) -> None:
    """Whoever had an attribute when its behaviour was made: in nobody's numbers, but not to be counted later either."""
    if people:
        session.execute(_HAD_BEFORE, {"behaviour": behaviour_id, "environment": environment, "people": list(people)})
