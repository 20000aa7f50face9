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

# Whoever cuts a behaviour's days anew, or changes its goal, is waited for, and waits. Then everybody is held at once:
# counting takes them in two portions, between which two could come to wait for each other.
_DONE = """
    WITH zoned AS MATERIALIZED (
        SELECT b.id, b.time_zone FROM goal g JOIN behaviour b ON b.goal_id = g.id
         WHERE b.id = ANY(CAST(:behaviours AS bigint[])) ORDER BY b.id FOR KEY SHARE OF g, b),
    held AS MATERIALIZED (
        SELECT id FROM person
         WHERE (SELECT count(*) FROM zoned) > 0 AND id = ANY(CAST(:people AS bigint[]))
         ORDER BY id FOR NO KEY UPDATE),
    done AS (
        SELECT DISTINCT ON (t.person_id, t.behaviour_id, t.day) t.*
          FROM (SELECT u.*, (u.at AT TIME ZONE b.time_zone)::date AS day
                  FROM unnest(CAST(:behaviours AS bigint[]), CAST(:people AS bigint[]),
                              CAST(:numbers AS bigint[]), CAST(:times AS timestamptz[]))
                    AS u(behaviour_id, person_id, number_id, at)
                  JOIN zoned b ON b.id = u.behaviour_id
                 WHERE (SELECT count(*) FROM held) > 0) t
         ORDER BY t.person_id, t.behaviour_id, t.day, t.at)
"""
_LED = f"""
    SELECT s.behaviour_id, s.person_id, s.day, s.at, coalesce(s.number_id, m.number_id) AS number_id,
           coalesce(m.author_kind, '') AS author_kind, coalesce(m.author_id, 0) AS author_id, m.author_step,
           m.id AS after_message_id
      FROM done s LEFT JOIN LATERAL ({_LAST_SENT}) m ON true
"""  # noqa: S608 (ours)
_SAME = "d.behaviour_id = s.behaviour_id AND d.person_id = s.person_id AND d.day = s.day"

# What is new and what turns out to have been earlier are two statements, for each is counted as it stands at its end.
_RECORD = text(f"""
    {_DONE},
    made AS (
        INSERT INTO behaviour_day (environment, behaviour_id, person_id, day, at, number_id, author_kind, author_id,
                                   author_step, after_message_id)
        SELECT :environment, l.* FROM (
            {_LED} WHERE NOT EXISTS (SELECT FROM behaviour_day d WHERE {_SAME})) l
         ORDER BY person_id, behaviour_id, day
        ON CONFLICT DO NOTHING RETURNING 1)
    SELECT (SELECT count(*) FROM done) - (SELECT count(*) FROM made) AS known
""")  # noqa: S608 (ours)
_EARLIER = text(f"""
    {_DONE},
    led AS ({_LED} WHERE EXISTS (SELECT FROM behaviour_day d WHERE {_SAME} AND d.at > s.at))
    UPDATE behaviour_day d
       SET at = s.at, number_id = s.number_id, author_kind = s.author_kind, author_id = s.author_id,
           author_step = s.author_step, after_message_id = s.after_message_id
      FROM led s WHERE {_SAME} AND d.at > s.at
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
    if session.execute(_RECORD, given).scalar_one():
        del given["environment"]
        session.execute(_EARLIER, given)


def had_before(session: Session, environment: str, behaviour_id: int, people: Sequence[int]) -> None:
    """Whoever had an attribute when its behaviour was made: in nobody's numbers, but not to be counted later either."""
    if people:
        session.execute(_HAD_BEFORE, {"behaviour": behaviour_id, "environment": environment, "people": list(people)})
