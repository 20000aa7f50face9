"""What a block is: its words, and what it answers. Page, picture, file and API show this and nothing beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.insights.asking import Question
from bot.language import later

Value = str | int | float | date | None


class Part(StrEnum):
    """The four questions, in the page's order."""

    IMPACT = "impact"
    AUDIENCE = "audience"
    ENGAGEMENT = "engagement"
    GUIDANCE = "guidance"


ASKED: dict[str, str] = {
    Part.IMPACT: later("Are we making an impact?"),
    Part.AUDIENCE: later("Is our audience growing?"),
    Part.ENGAGEMENT: later("How are they engaging?"),
    Part.GUIDANCE: later("How are we guiding them?"),
}


class Unit(StrEnum):
    """What a value is, so that whoever shows it knows how; in files and answers of the API it stays as it is."""

    COUNT = "count"
    PEOPLE = "people"
    MESSAGES = "messages"
    CONVERSATIONS = "conversations"
    AVERAGE = "average"
    SHARE = "share"
    """From 0 to 1."""
    SECONDS = "seconds"
    DAY = "day"
    WEEKDAY = "weekday"
    """1 is Monday."""
    HOUR = "hour"
    WEEK_HOUR = "hour_of_week"
    """0 is Monday's first, 167 Sunday's last."""
    COUNTRY = "country"
    AUTHOR = "author_kind"
    SIDE = "side"
    NAME = "name"
    ID = "id"


WORDS = frozenset({Unit.DAY, Unit.WEEKDAY, Unit.HOUR, Unit.COUNTRY, Unit.AUTHOR, Unit.SIDE, Unit.NAME})
"""Units of what a row is about, rather than of what was counted."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the whole period; `is_now` says that it is of this moment, so that nothing is compared."""

    name: str
    label: str
    unit: Unit
    value: Value
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    label: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Answer:
    figures: Sequence[Figure]
    """The first is the big one."""
    columns: Sequence[Column]
    rows: Sequence[tuple[Value, ...]]

    def values(self, name: str) -> list[Value]:
        """A column's, in the order of the rows."""
        place = [column.name for column in self.columns].index(name)
        return [row[place] for row in self.rows]


class Kind(StrEnum):
    """How a block is drawn."""

    DAYS = "days"
    """A column per row, what it is about below; series stand on each other."""
    BESIDE = "beside"
    """The same, series next to each other."""
    RANKS = "ranks"
    """A bar to the right per row, the longest first."""
    METERS = "meters"
    """Per row, each series as a share of the whole."""
    CLOCK = "clock"
    """Seven days of 24 hours, the darker the more."""


@dataclass(frozen=True, slots=True)
class Picture:
    kind: Kind
    series: tuple[str, ...]
    """Names of columns."""


@dataclass(frozen=True, slots=True)
class Block:
    name: str
    """In addresses, of files and of the API: it stays."""
    part: Part
    title: str
    said: str
    """What it counts, in plain words."""
    picture: Picture
    ask: Callable[[Question], Answer]
    above: str = ""
    """The block that this one looks into: it stands behind that one's rows and not on the page of all."""
    heeds_number: bool = True
    """False: it is of all numbers of the environment, whichever is chosen, and whoever shows it says so."""
    nothing: str = ""
    """What is said where there is no row, as nobody has set up yet what would be counted."""
