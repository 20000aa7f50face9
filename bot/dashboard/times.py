"""Times as people read them: in the time zone of BACKCHAT_TIME_ZONE, with the exact one a hover away."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, current_app
from markupsafe import Markup

from bot.dashboard.languages import written
from bot.language import _, ngettext
from bot.settings import SettingsError


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
        shown = written(local, _("d MMM HH:mm"))
    else:
        shown = written(local, _("d MMM y HH:mm"))
    return _element(at, shown)


def briefly(at: datetime) -> Markup:
    """`14:05` today, `3 May` this year, else with the year: for narrow columns."""
    local, today = at.astimezone(zone()), datetime.now(zone()).date()
    if local.date() == today:
        return clock(at)
    return _element(at, written(local, _("d MMM") if local.year == today.year else _("d MMM y")))


def clock(at: datetime) -> Markup:
    return _element(at, f"{at.astimezone(zone()):%H:%M}")


def day(at: datetime) -> str:
    """`Today`, `Yesterday`, or the date."""
    local, today = at.astimezone(zone()).date(), datetime.now(zone()).date()
    if local == today:
        return _("Today")
    return _("Yesterday") if local == today - timedelta(days=1) else written(local, _("EEEE, d MMMM y"))


def duration(length: timedelta) -> str:
    """The greatest whole unit, rounded down: `5 hours`; below a minute `less than a minute`."""
    minutes = int(length.total_seconds()) // 60
    if minutes >= 1440:
        return ngettext("%(num)d day", "%(num)d days", minutes // 1440)
    if minutes >= 60:
        return ngettext("%(num)d hour", "%(num)d hours", minutes // 60)
    return ngettext("%(num)d minute", "%(num)d minutes", minutes) if minutes >= 1 else _("less than a minute")


def until(at: datetime) -> str:
    """How long it is until then, to the minute: `5 h 12 min`."""
    minutes = int((at - datetime.now(UTC)).total_seconds()) // 60
    if minutes < 1:
        return _("less than a minute")
    if minutes < 60:
        return _("%(minutes)d min", minutes=minutes)
    return _("%(hours)d h %(minutes)d min", hours=minutes // 60, minutes=minutes % 60)


def server_clock() -> str:
    """The server's clock, for a page that counts down by it."""
    return datetime.now(UTC).isoformat()


def _element(at: datetime, shown: str) -> Markup:
    exact = f"{at.astimezone(zone()):%Y-%m-%d %H:%M:%S %Z}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.astimezone(UTC).isoformat(), exact, shown)
