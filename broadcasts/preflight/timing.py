"""When a broadcast would be through: the pace of its number and its own, clocks, quiet hours, waves and the tier."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot import runtime
from bot.messages import pacing
from bot.messages.pacing import Learned
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.people.zones import zone_of
from broadcasts.audience import drawing, making, wordings
from broadcasts.audience.making import Times
from broadcasts.preflight.funnel import Group
from broadcasts.preflight.tier import Use

_DAY = timedelta(days=1)
_MOST_NIGHTS = 400


@dataclass(frozen=True, slots=True)
class Timing:
    begins: datetime
    ends: datetime
    pace_per_s: int
    """Messages a second: the number's, or the broadcast's own where it is slower."""
    learned: Learned | None
    """Why the number sends slower than that right now."""
    waits: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(clock time, why) → people who wait until then on their own clock: `quiet`, or `local` for its local time."""


def foresee(session: Session, broadcast: Broadcast, groups: Iterable[Group], use: Use | None, now: datetime) -> Timing:
    """As if nothing else were sent by the number meanwhile, and nobody replied."""
    number = session.get_one(Number, broadcast.number_id)
    pace = min(number.pace_per_s, broadcast.pace_per_s or number.pace_per_s)
    begins = max(now, broadcast.scheduled_at or now)
    times = making.times_of(session, broadcast, begins)
    zones = Counter[ZoneInfo]()
    for each in groups:
        zones[zone_of(each.time_zone, each.country, times.fallback)] += each.people
    ends = _end(times, zones, pace) + _watched(session, broadcast) + _DAY * (use.more_days if use else 0)
    learned = pacing.learned(runtime.current().redis, number.id, number.pace_per_s)
    return Timing(begins, ends, pace, learned, _waits(times, zones))


def _waits(times: Times, zones: Mapping[ZoneInfo, int]) -> Mapping[tuple[str, str], int]:
    found = Counter[tuple[str, str]]()
    for zone, people in zones.items():
        not_before, _ = times.of(zone)
        if not_before is not None:
            clock = not_before.astimezone(zone)
            is_local = times.local_time is not None and clock.replace(tzinfo=None) == times.local_time
            found[f"{clock:%H:%M}", "local" if is_local else "quiet"] += people
    return dict(sorted(found.items()))


def _end(times: Times, zones: Mapping[ZoneInfo, int], pace: int) -> datetime:
    """One zone after the other in the order in which they may begin; who meets the night goes on in the morning."""
    at = last = times.now
    for zone in sorted(zones, key=lambda each: times.of(each)[0] or times.now):
        not_before, until = times.of(zone)
        at, left = max(at, not_before or at), timedelta(seconds=zones[zone] / pace)
        for _ in range(_MOST_NIGHTS):
            if times.quiet is not None:
                at, until = times.quiet.free(at, zone)
            if until is None or at + left <= until:
                break
            at, left = until, left - (until - at)
        at += left
        last = max(last, at)
    return last


def _watched(session: Session, broadcast: Broadcast) -> timedelta:
    """How long its first waves are looked at before the others follow."""
    minutes = broadcast.canary_minutes if broadcast.canary_percent else 0
    if drawing.has_trial(broadcast, wordings.count_variants(session, broadcast)):
        minutes += broadcast.winner_minutes or 0
    return timedelta(minutes=minutes)
