"""What an address says of days, and of whose messages: the same words for pages, files and programs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bot.insights.asking import Filter, InsightError, Period
from bot.language import _, later

WORDS: Final = ("period", "since", "until", "against", "against_since", "against_until", "number", "segment")
DATES: Final = "dates"
"""The word for days of one's own, in `since` and `until`."""

_EARLIEST, _LATEST = date(2009, 1, 1), date(2200, 1, 1)
_YEAR = timedelta(weeks=52)
_LARGEST_ID = 2**63 - 1


def _last(days: int) -> Callable[[date], Period]:
    return lambda today: Period(today - timedelta(days=days - 1), today)


def _last_month(today: date) -> Period:
    last = today.replace(day=1) - timedelta(days=1)
    return Period(last.replace(day=1), last)


PERIODS: Final[Mapping[str, tuple[str, Callable[[date], Period]]]] = {
    "7d": (later("Last 7 days"), _last(7)),
    "28d": (later("Last 28 days"), _last(28)),
    "90d": (later("Last 90 days"), _last(90)),
    "365d": (later("Last 365 days"), _last(365)),
    "month": (later("This month"), lambda today: Period(today.replace(day=1), today)),
    "last_month": (later("Last month"), _last_month),
}
"""Today is in all but the last. The first is shown unless somebody chooses otherwise."""

AGAINST: Final[Mapping[str, tuple[str, Callable[[Period], Period | None]]]] = {
    "before": (later("As many days before"), lambda period: period.before),
    "year": (
        later("The same weekdays 52 weeks before"),
        lambda period: Period(period.first - _YEAR, period.last - _YEAR),
    ),
    "nothing": (later("Nothing"), lambda _period: None),
}


@dataclass(frozen=True, slots=True)
class Choice:
    period: Period
    compared: Period | None
    which: Filter
    period_word: str
    against_word: str


def read(given: Mapping[str, str], environment: str, today: date, as_coach: int | None = None) -> Choice:
    """`given` maps WORDS to what stands there; raises InsightError, which names the word and what would be right."""
    period_word = given.get("period") or (DATES if given.get("since") or given.get("until") else "7d")
    against_word = given.get("against") or (
        DATES if given.get("against_since") or given.get("against_until") else "before"
    )
    period = _period(given, period_word, today)
    compared = _compared(given, against_word, period)
    which = Filter(environment, _id(given, "number"), _id(given, "segment"), as_coach)
    return Choice(period, compared, which, period_word, against_word)


def _period(given: Mapping[str, str], word: str, today: date) -> Period:
    if word == DATES:
        return Period(_day(given, "since"), _day(given, "until"))
    if word not in PERIODS:
        known = ", ".join((*PERIODS, DATES))
        raise InsightError(_("Choose one of %(known)s.", known=known), "period")
    return PERIODS[word][1](today)


def _compared(given: Mapping[str, str], word: str, period: Period) -> Period | None:
    if word == DATES:
        first, last = _day(given, "against_since"), _day(given, "against_until")
        try:
            return Period(first, last)
        except InsightError as error:
            raise InsightError(str(error), f"against_{error.about}") from error
    if word not in AGAINST:
        known = ", ".join((*AGAINST, DATES))
        raise InsightError(_("Choose one of %(known)s.", known=known), "against")
    return AGAINST[word][1](period)


def _day(given: Mapping[str, str], name: str) -> date:
    text = given.get(name, "")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not _EARLIEST <= day < _LATEST or text != day.isoformat():
        last = _LATEST - timedelta(days=1)
        told = _("Choose a day from %(first)s to %(last)s, like 2030-03-01.", first=_EARLIEST, last=last)
        raise InsightError(told, name)
    return day


def _id(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= _LARGEST_ID):
        raise InsightError(_("This is the id of one, a whole number above zero."), name)
    return int(text)
