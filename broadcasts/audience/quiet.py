"""Quiet hours: when of a day nobody is written to, by each person's own clock."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.people.zones import at_wall

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` up to `ends`, over midnight where that is the earlier one."""

    begins: time
    ends: time

    def are_now(self, clock: time) -> bool:
        if self.begins < self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends

    def free(self, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From when on, not before `at`, somebody of that zone may be written to, and until when."""
        clock = at.astimezone(zone).time()
        begins = _next(self.ends, at, zone) if self.are_now(clock) else at
        return begins, _next(self.begins, begins, zone)


def _next(clock: time, after: datetime, zone: ZoneInfo) -> datetime:
    """When the clock shows this next; in an hour that comes twice that may be its second time."""
    today = datetime.combine(after.astimezone(zone).date(), clock)
    shown = (at_wall(today + days * _DAY, zone, fold=fold) for days in (0, 1, 2) for fold in (0, 1))
    return min(each for each in shown if each > after)
