"""What the macros that draw pictures are given: places up in pixels, across in shares of the width."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

HEIGHT: Final = 176


@dataclass(frozen=True, slots=True)
class Tick:
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A column's room: `middle` in hundredths of the width; a name that is `spare` gives way where it is narrow."""

    middle: float
    name: str
    spare: bool
    said: str
    is_so_far: bool
    """Its day is not over."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Bars are one path per series, in a box as wide as there are slots and HEIGHT high."""

    slots: Sequence[Slot]
    ticks: Sequence[Tick]
    series: Sequence[tuple[str, str]]
    """Label and path."""
    lines: bool
    """All series but the first are lines over it: so many stand beside each other that bars could not be told apart."""
    before: Sequence[str]
    """Paths of strokes, how high it was in the period compared with: of each series, or of all on each other."""
    kind: str = "columns"
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    value: str
    width: float
    row: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Ranks:
    bars: Sequence[Bar]
    kind: str = "ranks"


@dataclass(frozen=True, slots=True)
class Meters:
    groups: Sequence[tuple[str, Sequence[Bar]]]
    kind: str = "meters"


@dataclass(frozen=True, slots=True)
class Cell:
    x: float
    y: int
    shade: int
    said: str


@dataclass(frozen=True, slots=True)
class Clock:
    cells: Sequence[Cell]
    days: Sequence[str]
    kind: str = "clock"
    hours: Sequence[int] = field(default_factory=lambda: range(0, 24, 3))


Drawn = Columns | Ranks | Meters | Clock
