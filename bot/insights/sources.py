"""Where figures come from: what was counted, or, of a segment, the messages of its people. Both say the same.

Each source is SQL with the columns its name tells; blocks are written on top of it and know nothing of the choice.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import TextClause, text

from bot.conversations.threads import SILENT_KINDS
from bot.insights import facts
from bot.insights.asking import Question

_WRITTEN = f"m.direction = 'in' AND m.kind NOT IN ({', '.join(repr(kind) for kind in sorted(SILENT_KINDS))})"
_OF_MEMBERS = f"""
    FROM unnest(CAST(:people AS bigint[])) p(id) JOIN message m ON m.person_id = p.id
   WHERE m.number_id = ANY(CAST(:numbers AS bigint[]))
     AND (({_WRITTEN}) OR m.accepted_at IS NOT NULL OR m.state = 'failed')
"""
_AT = """(CASE m.direction WHEN 'in' THEN m.occurred_at
              ELSE coalesce(m.accepted_at, m.failed_at, m.occurred_at) END AT TIME ZONE :zone)"""

_OF_NUMBERS = """generation = :generation AND environment = :environment
                   AND number_id = ANY(CAST(:numbers AS bigint[])) AND day BETWEEN :first AND :last"""
_SUMS = "received, sent, delivered, read, failed, refused, replied"

_DAYS = f"""
    SELECT day, author_kind, author_id, {_SUMS} FROM message_day WHERE {_OF_NUMBERS} AND level = {{level}}
    UNION ALL
    SELECT day, author_kind, author_id, {_SUMS} FROM message_delta WHERE {_OF_NUMBERS}
"""  # noqa: S608 (put together from constants)
_DAYS_OF_MEMBERS = f"""
    SELECT * FROM (
        SELECT {_AT}::date AS day, coalesce(m.author_kind, '') AS author_kind,
               coalesce(CASE m.author_kind WHEN 'stack' THEN m.journey_id WHEN 'coach' THEN m.operator_id
                                           WHEN 'reminder' THEN m.reminder_id WHEN 'api' THEN m.token_id
                                           WHEN 'broadcast' THEN m.broadcast_id END, 0) AS author_id,
               (m.direction = 'in')::int AS received, (m.accepted_at IS NOT NULL)::int AS sent,
               (m.accepted_at IS NOT NULL AND m.delivery_level >= 2)::int AS delivered,
               (m.accepted_at IS NOT NULL AND m.delivery_level >= 3)::int AS read,
               (m.state = 'failed')::int AS failed,
               (m.state = 'failed' AND m.accepted_at IS NULL)::int AS refused,
               (EXISTS (SELECT FROM message_reply y WHERE y.message_id = m.id))::int AS replied
        {_OF_MEMBERS}) t WHERE day BETWEEN :first AND :last
"""  # noqa: S608 (put together from constants)

_HOURS = f"""
    SELECT day, hour, received, sent FROM message_hour WHERE {_OF_NUMBERS}
    UNION ALL
    SELECT day, hour, received, sent FROM message_delta WHERE {_OF_NUMBERS}
"""  # noqa: S608 (put together from constants)
_HOURS_OF_MEMBERS = f"""
    SELECT at::date AS day, extract(hour FROM at) AS hour, received, sent FROM (
        SELECT {_AT} AS at, (m.direction = 'in')::int AS received, (m.accepted_at IS NOT NULL)::int AS sent
        {_OF_MEMBERS}) t WHERE at::date BETWEEN :first AND :last
"""  # noqa: S608 (put together from constants)

# Everybody's first day in the period is the one whose day before lies before the period: by weeks as far as that goes,
# by days in the week in which the period begins.
_OF_GAPS = "generation = :generation AND environment = :environment AND number_id = :number"
_WEEK = "date_trunc('week', CAST(:first AS date))::date"
_FIRSTS = f"""
    SELECT country, people FROM active_gap
     WHERE {_OF_GAPS} AND level = 1 AND day BETWEEN :first AND :last
       AND previous = ANY(ARRAY(
           SELECT '-infinity'::date
           UNION ALL
           SELECT w::date FROM generate_series(
               (SELECT date_trunc('week', min(day)) FROM active_gap
                 WHERE {_OF_GAPS} AND level = 0 AND previous = '-infinity'),
               {_WEEK} - interval '1 day', '7 days') w))
    UNION ALL
    SELECT country, people FROM active_gap
     WHERE {_OF_GAPS} AND level = 2 AND previous >= {_WEEK} AND previous < :first AND day BETWEEN :first AND :last
    UNION ALL
    SELECT country, people FROM active_delta WHERE {_OF_GAPS} AND previous < :first AND day BETWEEN :first AND :last
"""  # noqa: S608 (put together from constants)
_DAILY = f"""
    SELECT day, people, 0 AS new FROM active_gap
     WHERE {_OF_GAPS} AND level = 0 AND previous = '-infinity' AND day BETWEEN :first AND :last
    UNION ALL
    SELECT day, 0, people FROM active_gap
     WHERE {_OF_GAPS} AND level = 1 AND previous = '-infinity' AND day BETWEEN :first AND :last
    UNION ALL
    SELECT day, people, CASE WHEN previous = '-infinity' THEN people ELSE 0 END FROM active_delta
     WHERE {_OF_GAPS} AND day BETWEEN :first AND :last
"""  # noqa: S608 (put together from constants)
_DAYS_OF_PEOPLE = f"""
    SELECT person_id, day, lag(day) OVER (PARTITION BY person_id ORDER BY day) AS previous
      FROM (SELECT DISTINCT m.person_id, (m.occurred_at AT TIME ZONE :zone)::date AS day
            {_OF_MEMBERS} AND m.direction = 'in') d
"""  # noqa: S608 (put together from constants)
_FIRSTS_OF_MEMBERS = f"""
    SELECT a.country, 1 AS people FROM ({_DAYS_OF_PEOPLE}) d JOIN active_person a USING (person_id)
     WHERE day BETWEEN :first AND :last AND (previous IS NULL OR previous < :first)
"""  # noqa: S608 (put together from constants)
_DAILY_OF_MEMBERS = f"""
    SELECT day, 1 AS people, (previous IS NULL)::int AS new FROM ({_DAYS_OF_PEOPLE}) d
     WHERE day BETWEEN :first AND :last
"""  # noqa: S608 (put together from constants)

_SOURCES: Final[Mapping[str, tuple[str, str]]] = {
    "days": (_DAYS.format(level=0), _DAYS_OF_MEMBERS),
    "authors": (_DAYS.format(level=1), _DAYS_OF_MEMBERS),
    "hours": (_HOURS, _HOURS_OF_MEMBERS),
    "firsts": (_FIRSTS, _FIRSTS_OF_MEMBERS),
    "daily": (_DAILY, _DAILY_OF_MEMBERS),
    "facts": (facts.COUNTED, facts.OF_MEMBERS),
    "answers": (facts.ANSWERS, facts.ANSWERS_OF_MEMBERS),
}


def on(source: str, statement: str) -> Callable[[Question], TextClause]:
    """The statement, in which {source} stands for the rows, as the question wants them: counted, or of members."""
    counted, of_members = (text(statement.format(source=f"({rows}) s")) for rows in _SOURCES[source])
    return lambda question: counted if question.people is None else of_members
