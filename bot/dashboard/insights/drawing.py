"""Pictures of answers, worked out for the macros that draw them: up in pixels, across in shares of the width."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bot.dashboard.insights import scales, wording
from bot.dashboard.insights.drawn import HEIGHT, Bar, Cell, Clock, Columns, Drawn, Meters, Ranks, Slot, Tick
from bot.dashboard.insights.wording import FEW, counted
from bot.insights.blocks.shapes import Answer, Column, Kind, Unit
from bot.insights.blocks.telling import Told
from bot.language import translated

_LEAST = 1.5
"""Of what is there at all, so many pixels are seen."""
_BESIDE = 31
"""So many columns are told apart with another one beside each, and marks over both."""
_WEEK = 7
_GAP = 0.14
"""Room on each side of a slot's bars, of its width."""
_STEPS = 6
"""Shades of a picture of a week."""


class Mark(NamedTuple):
    x: float
    width: float
    value: float


def draw(told: Told) -> Drawn | None:
    """None where there is nothing to be seen."""
    series = [told.answer.values(name) for name in told.block.picture.series]
    kind = told.block.picture.kind
    if not any(series) or (kind is not Kind.RANKS and not any(value for values in series for value in values)):
        return None
    return _DRAWN[kind](told)


def _columns(told: Told) -> Columns:
    answer, names = told.answer, told.block.picture.series
    stacked = told.block.picture.kind is Kind.DAYS
    values = [[float(value or 0) for value in _numbers(answer, name)] for name in names]  # one list per series
    has_lines = not stacked and len(answer.rows) > _BESIDE
    marks = _marks(_before(told, stacked=stacked), by_week=has_lines)
    heights = [sum(row) if stacked else max(row) for row in zip(*values, strict=True)]
    heights += [mark.value for series in marks for mark in series]
    unit = _column(answer, names[0]).unit
    ticks = scales.ticks(max(heights), whole=unit is not Unit.AVERAGE)
    scale = HEIGHT / ticks[-1]
    paths = _lines(values, scale) if has_lines else _paths(values, scale, stacked=stacked)
    return Columns(
        _slots(answer),
        [Tick(round(HEIGHT - line * scale, 1), _tick(line, unit)) for line in ticks],
        [(translated(_column(answer, name).label), path) for name, path in zip(names, paths, strict=True)],
        has_lines,
        ["".join(f"M{x:.4g} {HEIGHT - value * scale:.1f}h{width:.3g}" for x, width, value in each) for each in marks],
    )


def _paths(values: Sequence[Sequence[float]], scale: float, *, stacked: bool) -> Sequence[str]:
    """Of each series, all its bars: on each other, or next to each other, with some room around."""
    many = len(values[0])
    gap = _GAP if many <= 100 else 0
    width = (1 - 2 * gap) / (1 if stacked else len(values))
    below, told = [0.0] * many, []
    for place, series in enumerate(values):
        path = []
        for n, value in enumerate(series):
            high = max(value * scale, _LEAST) if value else 0
            if high:
                x = n + gap + (0 if stacked else place * width)
                path.append(f"M{x:.3g} {HEIGHT - below[n]:.1f}v-{high:.1f}h{width:.3g}v{high:.1f}z")
            if stacked:
                below[n] += high
        told.append("".join(path))
    return told


def _lines(values: Sequence[Sequence[float]], scale: float) -> Sequence[str]:
    """The first series as columns without room between them, the others as steps."""
    first, *others = values
    steps = [
        "M0 " + "".join(f"{HEIGHT - value * scale:.1f}h1V" for value in series).removesuffix("V") for series in others
    ]
    return [*_paths([first], scale, stacked=True), *steps]


def _marks(before: Sequence[Sequence[float]], *, by_week: bool) -> Sequence[Sequence[Mark]]:
    """Of each series how high it was then: of one across its columns, of several each over its own bars.

    `by_week`: on the average of seven days, as days of several lines could not be told apart.
    """
    if by_week:
        weeks = [[(n, series[n : n + _WEEK]) for n in range(0, len(series), _WEEK)] for series in before]
        return [[Mark(n, len(days), sum(days) / len(days)) for n, days in series] for series in weeks]
    gap, width = (_GAP, (1 - 2 * _GAP) / len(before)) if len(before) > 1 else (0, 1)
    return [
        [Mark(n + gap + place * width, width, value) for n, value in enumerate(series)]
        for place, series in enumerate(before)
    ]


def _before(told: Told, *, stacked: bool) -> Sequence[Sequence[float]]:
    """How high each column was then, or each series of it, where both periods have as many days."""
    then = told.earlier
    if then is None or len(then.rows) != len(told.answer.rows) or told.answer.columns[0].unit is not Unit.DAY:
        return []
    series = [[float(value or 0) for value in _numbers(then, name)] for name in told.block.picture.series]
    return [[sum(row) for row in zip(*series, strict=True)]] if stacked else series


def _slots(answer: Answer) -> Sequence[Slot]:
    many, today = len(answer.rows), wording.today()
    step = 1 if many <= FEW else -(-many // (FEW - 1))
    told = []
    for n, row in enumerate(answer.rows):
        shown = (many - 1 - n) % step == step // 2  # half a step of room for the last name
        is_spare = (many - 1 - n) // step % 2 == 1
        told.append(
            Slot(
                round((n + 0.5) / many * 100, 2),
                wording.below(answer, row) if shown else "",
                is_spare,
                counted(answer, row),
                row[0] == today,
            )
        )
    return told


def _ranks(told: Told) -> Ranks:
    [series] = told.block.picture.series
    column, values = _column(told.answer, series), _numbers(told.answer, series)
    most = max(values) or 1
    return Ranks(
        [
            Bar(wording.name(told.answer, row), wording.say(value, column.unit), round(value / most * 100, 2), row)
            for row, value in zip(told.answer.rows, values, strict=True)
        ]
    )


def _meters(told: Told) -> Meters:
    answer, names = told.answer, told.block.picture.series
    groups = []
    for n, row in enumerate(answer.rows):
        shares = [(_column(answer, name), answer.values(name)[n]) for name in names]
        bars = [
            Bar(translated(column.label), wording.say(share, Unit.SHARE), round(float(share or 0) * 100, 2))  # type: ignore[arg-type]  # a share
            for column, share in shares
        ]
        groups.append((wording.name(answer, row), bars))
    return Meters(groups)


def _clock(told: Told) -> Clock:
    answer = told.answer
    values = _numbers(answer, told.block.picture.series[0])
    most = max(values)
    cells = [
        Cell(round(n % 24 / 24 * 100, 3), n // 24, -(-int(value * _STEPS) // most), counted(answer, row))
        for n, (row, value) in enumerate(zip(answer.rows, values, strict=True))
    ]
    return Clock(cells, [wording.short_weekday(day) for day in range(7)])


def _numbers(answer: Answer, name: str) -> list[Any]:
    return list(answer.values(name))


def _column(answer: Answer, name: str) -> Column:
    return next(column for column in answer.columns if column.name == name)


def _tick(line: float, unit: Unit) -> str:
    return wording.brief(line) if unit is not Unit.AVERAGE else wording.say(line, unit)


_DRAWN: Final[Mapping[Kind, Callable[[Told], Drawn]]] = {
    Kind.DAYS: _columns,
    Kind.BESIDE: _columns,
    Kind.RANKS: _ranks,
    Kind.METERS: _meters,
    Kind.CLOCK: _clock,
}
