"""What happens to conversations and what people wish, as facts: each with its day, an answer with its seconds.

The triggers tell the same of what changes; here it is told of all there is, and of the people of a segment.
"""

from typing import Final

NOW: Final = "'-infinity'::date"
"""The day of what is as of now: threads, open, waiting."""

# Of a conversation's episodes the first one begins it, all others reopen it.
_OF_EPISODE = """(VALUES
    ('opened', e.opened_at, 0, true),
    ('begun', e.opened_at, 0, NOT EXISTS (
        SELECT FROM episode b WHERE b.conversation_id = e.conversation_id AND b.id < e.id)),
    ('closed', e.closed_at, 0, NOT e.closed_by_rule),
    ('closed_without_reply', e.closed_at, 0, NOT e.closed_by_rule AND e.closed_without_reply),
    ('closed_by_rule', e.closed_at, 0, e.closed_by_rule),
    ('answered', e.first_reply_at, told_seconds(e.first_reply_at - e.opened_at), e.opened_by = 'person')
) AS f(fact, at, seconds, counts)"""
_OF_CONVERSATION = """(VALUES
    ('threads', true), ('open', c.state = 'open'), ('waiting', c.state = 'open' AND c.waiting_since IS NOT NULL)
) AS f(fact, counts)"""


def told(conversations: str = "true", events: str = "true") -> str:
    """Of the conversations c and the consent events e that meet these conditions; :zone is asked for."""
    return f"""
        SELECT c.environment, c.number_id, f.fact, (f.at AT TIME ZONE :zone)::date AS day, f.seconds, count(*) AS many
          FROM conversation c JOIN episode e ON e.conversation_id = c.id CROSS JOIN LATERAL {_OF_EPISODE}
         WHERE f.counts AND f.at IS NOT NULL AND {conversations} GROUP BY 1, 2, 3, 4, 5
        UNION ALL
        SELECT c.environment, c.number_id, f.fact, {NOW}, 0, count(*)
          FROM conversation c CROSS JOIN LATERAL {_OF_CONVERSATION}
         WHERE f.counts AND {conversations} GROUP BY 1, 2, 3
        UNION ALL
        SELECT e.environment, 0, CASE e.value WHEN 'stop' THEN 'opted_out' ELSE 'opted_in' END,
               (e.occurred_at AT TIME ZONE :zone)::date, 0, count(DISTINCT e.person_id)
          FROM consent_event e
         WHERE e.category = 'marketing' AND e.value IN ('stop', 'resume') AND {events} GROUP BY 1, 3, 4
    """  # noqa: S608 (put together from constants)


SPANS: Final = "CROSS JOIN LATERAL (VALUES (0, d.day), (1, date_trunc('week', d.day)::date)) AS l(level, day)"
"""An answer counts on its day, and once more in its week."""

_HERE = """generation = :generation AND environment = :environment
           AND number_id = ANY(CAST(:numbers AS bigint[]) || 0::bigint)"""
_THEN = f"(day BETWEEN :first AND :last OR day = {NOW})"
COUNTED: Final = f"""
    SELECT fact, day, many FROM fact_day WHERE {_HERE} AND {_THEN}
    UNION ALL
    SELECT fact, day, many FROM fact_delta WHERE {_HERE} AND {_THEN}
"""  # noqa: S608 (put together from constants)
"""A wish is about all numbers, so that it stands at number 0."""

_MEMBERS = "person_id = ANY(CAST(:people AS bigint[]))"
_TOLD_OF_MEMBERS = told(
    f"c.environment = :environment AND c.number_id = ANY(CAST(:numbers AS bigint[])) AND c.{_MEMBERS}",
    f"e.environment = :environment AND e.{_MEMBERS}",
)
OF_MEMBERS: Final = f"SELECT * FROM ({_TOLD_OF_MEMBERS}) t WHERE {_THEN}"  # noqa: S608 (put together from constants)

SHARES: Final = (0.5, 0.9)
"""How many of the answers were quicker than what is told."""

_MONDAY = "(date_trunc('week', CAST(:first AS date) + 6)::date)"
_SUNDAY = "(date_trunc('week', CAST(:last AS date) + 1)::date - 1)"
"""Of the first whole week and of the last; where there is none, the Sunday is before the Monday."""
_SPANS = (
    f"level = 1 AND day BETWEEN {_MONDAY} AND {_SUNDAY}",
    f"level = 0 AND day BETWEEN :first AND least({_MONDAY} - 1, :last)",
    f"level = 0 AND day BETWEEN greatest({_SUNDAY} + 1, {_MONDAY}) AND :last",
)


def _answers(what: str, table: str, within: str = "true") -> str:
    """Whole weeks, the days at both ends, and what has not been folded yet."""
    kept = (f"SELECT {what}, many FROM {table} WHERE {_HERE} AND {within} AND {span}" for span in _SPANS)  # noqa: S608
    new = f"""
        SELECT {what}, many FROM (SELECT response_step(seconds) AS step, seconds, many FROM fact_delta
             WHERE {_HERE} AND fact = 'answered' AND day BETWEEN :first AND :last) n WHERE {within}
    """  # noqa: S608 (put together from constants)
    return " UNION ALL ".join((*kept, new))


# As many rows whatever was answered: first the steps, then of the few in which a share lies what took how long.
ANSWERS: Final = f"""
    WITH steps AS MATERIALIZED (
        SELECT step, sum(many)::bigint AS many FROM ({_answers("step", "response_step")}) s GROUP BY step),
    placed AS (
        SELECT step, sum(many) OVER (ORDER BY step) AS up_to, many, sum(many) OVER () - 1 AS last FROM steps),
    wanted AS (
        SELECT p.step FROM placed p CROSS JOIN unnest(ARRAY{list(SHARES)}::float8[]) AS s(share)
         WHERE p.many > 0 AND ceil(s.share * p.last) >= p.up_to - p.many AND floor(s.share * p.last) < p.up_to)
    SELECT step, CAST(NULL AS bigint) AS seconds, many FROM steps
    UNION ALL
    {_answers("step, seconds", "response_time", "step = ANY(ARRAY(SELECT step FROM wanted))")}
"""  # noqa: S608 (put together from constants)
"""Of each step with empty seconds, and of those that count with the seconds, too."""

ANSWERS_OF_MEMBERS: Final = f"""
    SELECT response_step(a.seconds) AS step, s.seconds, a.many
      FROM ({OF_MEMBERS}) a CROSS JOIN LATERAL (VALUES (a.seconds), (NULL)) AS s(seconds) WHERE a.fact = 'answered'
"""  # noqa: S608 (put together from constants)
