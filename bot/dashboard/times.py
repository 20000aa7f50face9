"""Times as people read them: in the time zone of BACKCHAT_TIME_ZONE, with the exact one a hover away."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, current_app
from markupsafe import Markup

from bot.settings import SettingsError

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def init(app: Flask, time_zone: str) -> None:
    """Raises SettingsError if there is no such time zone."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"BACKCHAT_TIME_ZONE is {time_zone!r}: use a name like Europe/Vienna or UTC.") from error
    app.extensions["time_zone"] = zone
    app.jinja_env.filters.update(moment=moment, briefly=briefly, clock=clock, day=day, duration=duration)
    app.jinja_env.filters["until"] = until
    app.jinja_env.globals["server_clock"] = server_clock


def zone() -> ZoneInfo:
    found: ZoneInfo = current_app.extensions["time_zone"]
    return found


def moment(at: datetime | None) -> Markup:
    """`14:05` today, `3 May 14:05` this year, else with the year, as a <time> element; a dash for never."""
    if at is None:
        return Markup("&ndash;")
    local, today = at.astimezone(zone()), datetime.now(zone()).date()
    if local.date() == today:
        shown = f"{local:%H:%M}"
    elif local.year == today.year:
        shown = f"{local.day} {local:%b %H:%M}"
    else:
        shown = f"{local.day} {local:%b %Y %H:%M}"
    return _element(at, shown)


def briefly(at: datetime) -> Markup:
    """`14:05` today, `3 May` this year, else with the year: for narrow columns."""
    local, today = at.astimezone(zone()), datetime.now(zone()).date()
    if local.date() == today:
        return clock(at)
    return _element(at, f"{local.day} {local:%b}" + ("" if local.year == today.year else f" {local.year}"))


def clock(at: datetime) -> Markup:
    return _element(at, f"{at.astimezone(zone()):%H:%M}")


def day(at: datetime) -> str:
    """`Today`, `Yesterday`, or the date."""
    local, today = at.astimezone(zone()).date(), datetime.now(zone()).date()
    if local == today:
        return "Today"
    return "Yesterday" if local == today - timedelta(days=1) else _date(local)


def duration(length: timedelta) -> str:
    """The greatest whole unit, rounded down: `5 hours`; below a minute `less than a minute`."""
    for size, unit in _UNITS:
        count = int(length.total_seconds()) // size
        if count >= 1:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def until(at: datetime) -> str:
    """How long it is until then, to the minute: `5 h 12 min`."""
    minutes = int((at - datetime.now(UTC)).total_seconds()) // 60
    if minutes < 1:
        return "less than a minute"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def server_clock() -> str:
    """The server's clock, for a page that counts down by it."""
    return datetime.now(UTC).isoformat()


def _date(local: date) -> str:
    return f"{local:%A}, {local.day} {local:%B %Y}"


def _element(at: datetime, shown: str) -> Markup:
    exact = f"{at.astimezone(zone()):%Y-%m-%d %H:%M:%S %Z}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.astimezone(UTC).isoformat(), exact, shown)
