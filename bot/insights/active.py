"""Is the audience growing? Who wrote: each person once in the big number, once for each of their days in the bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.insights import sources
from bot.insights.asking import Period, Question
from bot.language import later

EXPLANATION: Final = later(
    "Somebody is active on a day on which they wrote at least one message; reactions and notices of WhatsApp's own do"
    " not count. A person who wrote on seven days stands in seven bars, but is one person: so the bars add up to more"
    " than the number. New are those who never wrote before, returning everybody else."
)
COUNTRIES_EXPLANATION: Final = later(
    "Where people are by their phone number; of somebody who hides it, by the country that their WhatsApp user id"
    " begins with; else unknown. It is noted with the first message a person writes and stays: history does not change."
)

_FIRSTS = sources.on("firsts", "SELECT coalesce(sum(people), 0) AS people FROM {source}")
_DAILY = sources.on("daily", "SELECT day, sum(people) AS people, sum(new) AS new FROM {source} GROUP BY day")
_COUNTRIES = sources.on(
    "firsts",
    "SELECT country, sum(people) AS people FROM {source} GROUP BY country HAVING sum(people) > 0"
    " ORDER BY people DESC, country",
)


@dataclass(frozen=True, slots=True)
class ActiveOn:
    day: date
    people: int
    new: int

    @property
    def returning(self) -> int:
        return self.people - self.new


@dataclass(frozen=True, slots=True)
class Active:
    period: Period
    people: int
    """Each of them once."""
    rows: Sequence[ActiveOn]
    """Every day of the period, in order."""

    @property
    def new(self) -> int:
        return sum(row.new for row in self.rows)


@dataclass(frozen=True, slots=True)
class Country:
    country: str
    """ISO 3166 alpha-2; empty: unknown."""
    people: int


def active(question: Question) -> Active:
    [(people,)] = question.ask(_FIRSTS(question))
    found = {row.day: row for row in question.ask(_DAILY(question))}
    rows = [
        ActiveOn(day, int(found[day].people), int(found[day].new)) if day in found else ActiveOn(day, 0, 0)
        for day in question.period
    ]
    return Active(question.period, int(people), rows)


def countries(question: Question) -> Sequence[Country]:
    """Of those who were active, the most frequent first."""
    return [Country(row.country, int(row.people)) for row in question.ask(_COUNTRIES(question))]
