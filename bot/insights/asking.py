"""What every block is asked with: days, and whose messages. One snapshot of totals and deltas answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from bot.insights import generations
from bot.models.connection import Number
from bot.models.segment import Segment
from bot.people import segments

_MOST_DAYS = 3_660
_PLAINLY = text("SET LOCAL jit = off")
"""PostgreSQL would compile what takes less time than compiling it."""


class InsightError(ValueError):
    """The question cannot be answered; the text says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the workspace's zone, the first and the last of them included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InsightError(f"The period ends on {self.last}, before it begins: swap the two days.")
        if self.length > _MOST_DAYS:
            raise InsightError("The period has more than ten years: choose a later beginning.")

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


class Question:
    """A period and a filter, ready to be asked: the generation, the numbers, the people of the segment."""

    def __init__(self, session: Session, period: Period, which: Filter) -> None:
        session.execute(_PLAINLY)
        found = generations.current(session)
        if found is None:
            raise InsightError("What was said until now is being counted for the first time: look again in a while.")
        self.session, self.period, self.which = session, period, which
        self.people = None if which.segment_id is None else _people(session, which)
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
        wanted = statement.compile().params.keys()
        values = {**self._values, **(more or {})}
        return list(self.session.execute(statement, {name: values[name] for name in wanted}).all())


def _numbers(session: Session, which: Filter) -> list[int]:
    query = select(Number.id).where(Number.environment == which.environment)
    found = list(session.scalars(query.order_by(Number.id)))
    if which.number_id is None:
        return found
    if which.number_id not in found:
        raise InsightError(f"There is no number {which.number_id} in this environment: choose one of its numbers.")
    return [which.number_id]


def _people(session: Session, which: Filter) -> list[int]:
    segment = session.get(Segment, which.segment_id)
    if segment is None or segment.environment != which.environment:
        raise InsightError(f"There is no segment {which.segment_id} in this environment: choose one of its segments.")
    return list(session.scalars(segments.people_in(session, segment)))
