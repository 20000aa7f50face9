"""What every block is asked with: days, and whose messages. One snapshot of totals and deltas answers."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from bot.insights import generations
from bot.language import _
from bot.models.connection import Number
from bot.models.segment import Segment
from bot.people import segments

_MOST_DAYS = 3_660
_PLAINLY = text("SET LOCAL jit = off")
"""PostgreSQL would compile what takes less time than compiling it."""


@functools.cache
def wanted(statement: TextClause) -> tuple[str, ...]:
    """What a statement asks to be given; there are only so many, and finding out takes as long as a quick one does."""
    return tuple(statement.compile().params)


class InsightError(ValueError):
    """The question cannot be answered; the text says why and what would be right, `about` which part of it."""

    def __init__(self, text: str, about: str) -> None:
        super().__init__(text)
        self.about = about


class NotCountedYetError(Exception):
    """Nothing is wrong with the question: the first generation is being filled."""

    def __init__(self) -> None:
        super().__init__(_("What was said until now is being counted for the first time: look again in a while."))


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the workspace's zone, the first and the last of them included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            told = _("The period ends on %(last)s, before it begins: swap the two days.", last=self.last)
            raise InsightError(told, "until")
        if self.length > _MOST_DAYS:
            raise InsightError(_("The period has more than ten years: choose a later beginning."), "since")

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """As many days just before it: what it is compared with unless somebody chooses otherwise."""
        return Period(self.first - timedelta(days=self.length), self.first - timedelta(days=1))

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(self.length))


def last_days(days: int, zone: str, now: datetime | None = None) -> Period:
    """Today and the days before it, on the clock of the zone."""
    today = (now or datetime.now(ZoneInfo(zone))).astimezone(ZoneInfo(zone)).date()
    return Period(today - timedelta(days=days - 1), today)


@dataclass(frozen=True, slots=True)
class Filter:
    """Whose messages: of an environment, perhaps of one number, perhaps of whoever is in a segment now."""

    environment: str
    number_id: int | None = None
    segment_id: int | None = None
    as_coach: int | None = None
    """Who asks, if of coaches they may see themselves alone."""


def check(session: Session, which: Filter) -> None:
    """Raises InsightError where the number or the segment that is asked for is not there."""
    _numbers(session, which)
    if which.segment_id is not None:
        _segment(session, which)


class Question:
    """A period and a filter, ready to be asked: the generation, the numbers, the people of the segment."""

    def __init__(self, session: Session, period: Period, which: Filter, people: list[int] | None = None) -> None:
        """`people` of the segment, where somebody has found them already."""
        session.execute(_PLAINLY)
        found = generations.current(session)
        if found is None:
            raise NotCountedYetError
        self.session, self.period, self.which = session, period, which
        self.people = people if people is not None or which.segment_id is None else _people(session, which)
        self._asked: dict[object, list[Row[Any]]] = {}
        self._values: dict[str, Any] = {
            "generation": found.id,
            "zone": found.time_zone,
            "environment": which.environment,
            "numbers": _numbers(session, which),
            "number": which.number_id or 0,
            "people": self.people,
            "first": period.first,
            "last": period.last,
        }

    def ask(self, statement: TextClause, more: Mapping[str, Any] | None = None) -> list[Row[Any]]:
        """Several blocks stand on one statement: it is asked once."""
        place = (statement, *sorted((more or {}).items()))
        if place not in self._asked:
            values = {**self._values, **(more or {})}
            found = self.session.execute(statement, {name: values[name] for name in wanted(statement)}).all()
            self._asked[place] = list(found)
        return self._asked[place]


def _numbers(session: Session, which: Filter) -> list[int]:
    query = select(Number.id).where(Number.environment == which.environment)
    found = list(session.scalars(query.order_by(Number.id)))
    if which.number_id is None:
        return found
    if which.number_id not in found:
        told = _("There is no number %(id)s in this environment: choose one of its numbers.", id=which.number_id)
        raise InsightError(told, "number")
    return [which.number_id]


def _people(session: Session, which: Filter) -> list[int]:
    return list(session.scalars(segments.people_in(session, _segment(session, which))))


def _segment(session: Session, which: Filter) -> Segment:
    segment = session.get(Segment, which.segment_id)
    if segment is None or segment.environment != which.environment:
        told = _("There is no segment %(id)s in this environment: choose one of its segments.", id=which.segment_id)
        raise InsightError(told, "segment")
    return segment
