"""What people do for goals as spans of days, in sums that tell each person once for any period.

Whoever did something in a period is counted by their first time there. So each time counts for the periods that have
its day, and is taken back for those that have the time before it, too: people are the sum over all spans that lie
within the period. Spans are kept by day and by month at both ends: of a year months are read, and days at its ends.
"""

from enum import StrEnum
from typing import Final


class Part(StrEnum):
    DID = "did"
    """A behaviour."""
    COMPLETED = "completed"
    """The goal: did the last step after a first one."""
    WENT_ON = "went_on"
    """The goal: did the first step, from that day on; completed it by the other end."""


DAY: Final = 0
MONTH: Final = 1
LEVELS: Final = f"""
    CROSS JOIN LATERAL (VALUES ({DAY}, d.since), ({MONTH}, date_trunc('month', d.since)::date)) b(since_level, since)
    CROSS JOIN LATERAL (VALUES ({DAY}, d.until), ({MONTH}, date_trunc('month', d.until)::date)) e(until_level, until)
"""
"""A span at each level it counts at."""
STEP: Final = "coalesce(response_step(d.seconds), -1)"

# Who completes ends a turn, and what it took is told from the first start of that turn.
TURNED: Final = """
    turned AS (
        SELECT t.*, t.role = 'completion' AS ends,
               count(*) FILTER (WHERE t.role = 'start') OVER so_far AS starts,
               count(*) FILTER (WHERE t.role = 'completion') OVER so_far - (t.role = 'completion')::int AS turn,
               min(t.day) FILTER (WHERE t.role = 'completion') OVER (
                   one ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS end_day
          FROM told t WHERE t.role IN ('start', 'completion')
        WINDOW one AS (PARTITION BY t.goal_id, t.person_id ORDER BY t.at, t.role DESC, t.behaviour_id),
               so_far AS (one ROWS UNBOUNDED PRECEDING)),
    timed AS (
        SELECT t.*, min(t.at) FILTER (WHERE NOT t.ends) OVER (PARTITION BY t.goal_id, t.person_id, t.turn) AS first
          FROM turned t)
"""
"""Starts and completions of `told`, each with those before it; asks for columns goal_id, role and those of a day."""
TOOK: Final = "CASE WHEN isfinite(first) THEN told_seconds(at - first) END"

_AUTHOR = "author_kind, author_id, author_step"
TOLD: Final = f"""
    WITH told AS MATERIALIZED (
        SELECT b.goal_id, b.role, d.* FROM behaviour_day d JOIN behaviour b ON b.id = d.behaviour_id),
    {TURNED},
    done AS (
        SELECT goal_id, behaviour_id, 'did' AS part, person_id, day, day AS until, number_id,
               CAST(NULL AS bigint) AS seconds, {_AUTHOR} FROM told WHERE isfinite(day)
        UNION ALL
        SELECT goal_id, 0, 'completed', person_id, day, day, number_id, {TOOK}, {_AUTHOR}
          FROM timed WHERE ends AND starts > 0 AND isfinite(day)
        UNION ALL
        SELECT goal_id, 0, 'went_on', person_id, day, end_day, number_id, NULL, {_AUTHOR}
          FROM turned WHERE NOT ends AND end_day IS NOT NULL AND isfinite(day)),
    followed AS (
        SELECT d.*, n.of_number, lag(d.day) OVER (
                   PARTITION BY d.part, d.goal_id, d.behaviour_id, d.person_id, n.of_number ORDER BY d.day) AS previous
          FROM done d CROSS JOIN LATERAL (VALUES (0::bigint), (d.number_id)) n(of_number)
         WHERE n.of_number IS NOT NULL)
    SELECT f.goal_id, f.behaviour_id, f.part, f.of_number AS number_id, s.since, f.until, f.seconds, f.author_kind,
           f.author_id, coalesce(f.author_step, 0) AS author_step, sum(s.sign) AS people
      FROM followed f CROSS JOIN LATERAL (VALUES (f.day, 1), (f.previous, -1)) s(since, sign)
     WHERE s.since IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""  # noqa: S608 (put together from constants)
"""Spans of all there is; the triggers tell the same of what changes."""
