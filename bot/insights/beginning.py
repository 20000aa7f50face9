"""Since when anything is counted at all: a period before it has no figures, rather than figures of nought."""

from datetime import date

from sqlalchemy import text

from bot.insights.asking import Question

_FIRST = text("""
    SELECT min(day) FROM (
        SELECT (SELECT min(d.day) FROM message_day d
                 WHERE d.generation = :generation AND d.environment = :environment AND d.number_id = n.id
                   AND d.level = 0) AS day
          FROM unnest(CAST(:numbers AS bigint[])) n(id)
        UNION ALL
        SELECT min(day) FROM message_delta
         WHERE generation = :generation AND environment = :environment AND number_id = ANY(CAST(:numbers AS bigint[]))
    ) first
""")


def first_day(question: Question) -> date | None:
    """Of the environment's numbers, or of the one that was chosen; None if nobody has said anything."""
    found: date | None = question.ask(_FIRST)[0][0]
    return found
