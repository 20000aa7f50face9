"""Is the audience growing? Who asked for no more marketing, and who wants it again, by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text

from bot.insights.asking import Question
from bot.language import later

EXPLANATION: Final = later(
    "People who told you on a day that they want no more marketing, or that they want it again: by a word they wrote,"
    " in WhatsApp, through a coach, a list or a program. Who says it twice on a day counts once. It is about all your"
    " numbers, whichever is chosen. What somebody who was erased had said is erased as well."
)

_DAYS = text("""
    SELECT (e.occurred_at AT TIME ZONE :zone)::date AS day,
           count(DISTINCT e.person_id) FILTER (WHERE e.value = 'stop') AS opted_out,
           count(DISTINCT e.person_id) FILTER (WHERE e.value = 'resume') AS opted_in
      FROM consent_event e
     WHERE e.environment = :environment AND e.category = 'marketing'
       AND (e.occurred_at AT TIME ZONE :zone)::date BETWEEN :first AND :last
       AND (CAST(:people AS bigint[]) IS NULL OR e.person_id = ANY(CAST(:people AS bigint[])))
     GROUP BY 1
""")


@dataclass(frozen=True, slots=True)
class WishesOn:
    day: date
    opted_out: int
    opted_in: int


def wishes(question: Question) -> Sequence[WishesOn]:
    """Every day of the period. Of all numbers of the environment: a wish is about all of them."""
    found = {row.day: row for row in question.ask(_DAYS)}
    return [
        WishesOn(day, found[day].opted_out, found[day].opted_in) if day in found else WishesOn(day, 0, 0)
        for day in question.period
    ]
