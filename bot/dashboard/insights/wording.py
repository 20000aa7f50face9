"""Values of blocks as people read them, each by its unit, and by how much one has changed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from bot.dashboard import times
from bot.dashboard.bubbles import AUTHORS
from bot.dashboard.inbox.report import took
from bot.dashboard.languages import locale, written
from bot.insights.asking import Period
from bot.insights.blocks.shapes import WORDS as WORDS
from bot.insights.blocks.shapes import Answer, Figure, Unit, Value
from bot.language import _, figure, later, translated
from bot.models.words import AuthorKind

DASH: Final = "\u2013"
SIDES: Final[Mapping[str, str]] = {
    "all": later("Everything"),
    "automatic": later("Automatic"),
    "by_hand": later("By hand"),
}
FEW: Final = 8
"""So many columns of a picture each have their name below, days with their weekday."""
UP, DOWN, SAME = "\u25b2", "\u25bc", "="


def today() -> date:
    return datetime.now(times.zone()).date()


def say(value: Any, unit: Unit) -> str:  # noqa: ANN401 (its unit tells what it is)
    """A dash for what there is none of."""
    return DASH if value is None else _SAID[unit](value)


def name(answer: Answer, row: Sequence[Value]) -> str:
    """What a row is about, in a few words."""
    first = answer.columns[0].unit
    if first is Unit.ID:
        return str(row[1] or "") or (f"#{row[0]}" if row[0] else _("Others"))
    if first is Unit.SECONDS:
        start, end = row[:2]
        return (
            _("%(time)s or more", time=say(start, first))
            if end is None
            else f"{say(start, first)} {DASH} {say(end, first)}"
        )
    if first is Unit.WEEKDAY:
        return f"{say(row[0], first)} {say(row[1], Unit.HOUR)}"
    if first is Unit.DAY and row[0] == today():
        return _("%(day)s (so far)", day=say(row[0], first))
    return say(row[0], first)


def counted(answer: Answer, row: Sequence[Value]) -> str:
    """All that a row tells, in a line: `Tue, 3 Mar: Active people 12, New 3`."""
    told = [
        f"{translated(column.label)} {say(value, column.unit)}"
        for column, value in zip(answer.columns, row, strict=True)
        if column.unit not in WORDS and column.unit not in {Unit.ID, Unit.SECONDS}
    ]
    return f"{name(answer, row)}: {', '.join(told)}"


def change(now: Figure, before: Figure) -> str:
    """`▲ 12 %`; of shares in points of a hundred; empty where there is nothing to measure by."""
    if not isinstance(now.value, int | float) or not isinstance(before.value, int | float):
        return ""
    if now.unit is Unit.WEEK_HOUR:
        return ""
    if say(now.value, now.unit) == say(before.value, before.unit):
        return SAME
    mark = UP if now.value > before.value else DOWN
    if now.unit is Unit.SHARE:  # as a reader would subtract them
        points = round(now.value * 100, 1) - round(before.value * 100, 1)
        return _("%(mark)s %(points)s points", mark=mark, points=figure(abs(points), 1))
    if not before.value:
        return ""
    share = (now.value - before.value) / before.value
    return f"{mark} {_percent(abs(share))}" if round(share * 100, 1) else SAME


def below(answer: Answer, row: Sequence[Any]) -> str:
    """What a row is about, for below a picture, where there is little room."""
    first = answer.columns[0].unit
    if first is Unit.DAY:
        return written(row[0], _("EEE d") if len(answer.rows) <= FEW else _("d MMM"))
    if first is Unit.SECONDS:
        return f"\u2265 {say(row[0], first)}" if row[1] is None else f"< {say(row[1], first)}"
    return name(answer, row)


def short_weekday(day: int) -> str:
    """0 is Monday."""
    return str(locale().days["stand-alone"]["abbreviated"][day])


def brief(value: float) -> str:
    """For beside a picture: `950`, `1.5k`, `20M`."""
    for size, letter in ((1_000_000, "M"), (10_000, "k")):
        if value >= size:
            whole = value / (1_000 if letter == "k" else size)
            return figure(whole, 0 if whole == int(whole) else 1) + letter
    return figure(value)


def _percent(share: float) -> str:
    return _("%(share)s%%", share=figure(share * 100, 1 if share < 1 else 0))


def _day(day: date) -> str:
    return written(day, _("EEE, d MMM") if day.year == today().year else _("EEE, d MMM y"))


def days(period: Period, said: Callable[[date], str] = _day) -> str:
    """The first and the last of them; one is said once."""
    first, last = said(period.first), said(period.last)
    return first if first == last else _("%(first)s to %(last)s", first=first, last=last)


def _weekday(day: int) -> str:
    return str(locale().days["stand-alone"]["wide"][day - 1])


def _lasting(seconds: float) -> str:
    """Round ones in one unit: `1 h` where `took` says `1 h 0 min`."""
    if seconds and seconds % 86_400 == 0:
        return _("%(days)d d", days=seconds // 86_400)
    return _("%(hours)d h", hours=seconds // 3_600) if seconds and seconds % 3_600 == 0 else took(seconds)


def _week_hour(hour: int) -> str:
    return f"{short_weekday(hour // 24)} {hour % 24:02}:00"


def _country(code: str) -> str:
    return str(locale().territories.get(code, code)) if code else _("Unknown")


_SAID: Final[Mapping[Unit, Callable[[Any], str]]] = {
    Unit.COUNT: figure,
    Unit.PEOPLE: figure,
    Unit.MESSAGES: figure,
    Unit.CONVERSATIONS: figure,
    Unit.AVERAGE: lambda value: figure(value, 2),
    Unit.SHARE: _percent,
    Unit.SECONDS: _lasting,
    Unit.DAY: _day,
    Unit.WEEKDAY: _weekday,
    Unit.HOUR: lambda hour: f"{hour:02}:00",
    Unit.WEEK_HOUR: _week_hour,
    Unit.COUNTRY: _country,
    Unit.AUTHOR: lambda kind: translated(AUTHORS[AuthorKind(kind)]),
    Unit.SIDE: lambda side: translated(SIDES[side]),
    Unit.NAME: str,
    Unit.ID: str,
}
