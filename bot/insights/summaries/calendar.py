"""When a summary is due, on the workspace's clock, and which days it is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.insights.asking import Period
from bot.models.words import SummaryRhythm

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    rhythm: SummaryRhythm
    weekday: int
    """1 is Monday; only a weekly one looks at it."""
    hour: int
    zone: ZoneInfo

    def latest(self, now: datetime) -> datetime:
        """The last moment at which one was due, `now` included."""
        return next(at for at in self._moments(now, -_DAY) if at <= now)

    def following(self, now: datetime) -> datetime:
        """The next one after `now`."""
        return next(at for at in self._moments(now, _DAY) if at > now)

    def about(self, at: datetime) -> Period:
        """The whole days that end with the one before: a day, a week, or the month before."""
        day = at.astimezone(self.zone).date()
        last = day - _DAY
        first = {
            SummaryRhythm.DAILY: last,
            SummaryRhythm.WEEKLY: day - timedelta(days=7),
            SummaryRhythm.MONTHLY: last.replace(day=1),
        }[self.rhythm]
        return Period(first, last)

    def _moments(self, start: datetime, step: timedelta) -> Iterator[datetime]:
        day = start.astimezone(self.zone).date()
        while True:
            if self._falls_on(day):
                # An hour that a change of clocks leaves out is taken as the one after it.
                yield datetime.combine(day, time(self.hour), self.zone)
            day += step

    def _falls_on(self, day: date) -> bool:
        if self.rhythm == SummaryRhythm.WEEKLY:
            return day.isoweekday() == self.weekday
        return self.rhythm == SummaryRhythm.DAILY or day.day == 1
