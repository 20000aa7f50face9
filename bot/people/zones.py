"""Which clock is a person's: the zone of their profile, else their country's main one, else the workspace's."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from bot import phone
from bot.people.fields import time_zones

_MINUTE = timedelta(minutes=1)


def zone_of(time_zone: str | None, country: str | None, fallback: str) -> ZoneInfo:
    """What is no zone, in a profile that was taken over from elsewhere, counts as none."""
    named = time_zone if time_zone in time_zones() else None
    return ZoneInfo(named or (country and main_zone(country)) or fallback)


@cache
def main_zone(country: str) -> str | None:
    """The zone most people of a country live in; None for a code that is no country's."""
    if country in _MAIN:
        return _MAIN[country]
    found = phone.zones_of(country)
    return next((zone for zone in found if zone in time_zones()), None)


def at_wall(wall: datetime, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    """When a clock shows `wall` (naive). Of an hour that comes twice the first, of one left out the next minute."""
    shown = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    return shown if shown.astimezone(zone).replace(tzinfo=None) == wall else _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """The minute at which the clock is put on, searched between two that are certainly on either side of it."""
    offsets = [wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1)]
    low, high = ((wall - offset).replace(tzinfo=UTC) for offset in (max(offsets), min(offsets)))
    new = high.astimezone(zone).utcoffset()
    while high - low > _MINUTE:
        middle = low + (high - low) // (2 * _MINUTE) * _MINUTE
        if middle.astimezone(zone).utcoffset() == new:
            high = middle
        else:
            low = middle
    return high


_MAIN = {
    "AQ": "Antarctica/McMurdo",
    "CA": "America/Toronto",
    "CC": "Indian/Cocos",
    "CD": "Africa/Kinshasa",
    "CX": "Indian/Christmas",
    "DZ": "Africa/Algiers",
    "EH": "Africa/El_Aaiun",
    "FI": "Europe/Helsinki",
    "GB": "Europe/London",
    "GG": "Europe/Guernsey",
    "IE": "Europe/Dublin",
    "IM": "Europe/Isle_of_Man",
    "IT": "Europe/Rome",
    "JE": "Europe/Jersey",
    "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty",
    "LY": "Africa/Tripoli",
    "MA": "Africa/Casablanca",
    "MY": "Asia/Kuala_Lumpur",
    "NI": "America/Managua",
    "PF": "Pacific/Tahiti",
    "PS": "Asia/Gaza",
    "PT": "Europe/Lisbon",
    "SS": "Africa/Juba",
    "VA": "Europe/Vatican",
}
"""Where the zones of a country's numbers do not tell the main one first, or tell a wrong one."""
