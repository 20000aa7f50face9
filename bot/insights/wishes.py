"""Is the audience growing? Who asked for no more marketing, and who wants it again, by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.insights import sources
from bot.insights.asking import Question
from bot.language import later

EXPLANATION: Final = later(
    "People who told you on a day that they want no more marketing, or that they want it again: by a word they wrote,"
    " in WhatsApp, through a coach, a list or a program. Who says it twice on a day counts once. It is about all your"
    " numbers, whichever is chosen. What somebody who was erased had said is erased as well."
)

_DAYS = sources.on(
    "facts",
    "SELECT day, fact, sum(many) AS many FROM {source} WHERE fact IN ('opted_out', 'opted_in') GROUP BY 1, 2",
)


@dataclass(frozen=True, slots=True)
class WishesOn:
    day: date
    opted_out: int
    opted_in: int


def wishes(question: Question) -> Sequence[WishesOn]:
    """Every day of the period. Of all numbers of the environment: a wish is about all of them."""
    found = {(row.day, row.fact): int(row.many) for row in question.ask(_DAYS(question))}
    return [WishesOn(day, found.get((day, "opted_out"), 0), found.get((day, "opted_in"), 0)) for day in question.period]
