"""Page and file: the team's numbers for some days beside those of others, and what each of them counts."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from bot import runtime
from bot.conversations import labels
from bot.conversations import report as reports
from bot.conversations.figures import LONGEST_DAYS, YEAR, Asked
from bot.conversations.report import CoachFigures, Figures, Report
from bot.dashboard import access, downloads, times
from bot.dashboard.inbox import door
from bot.dashboard.inbox.door import pages
from bot.dashboard.inbox.figures import FIGURES, Figure
from bot.language import _, later
from bot.models.connection import Number
from bot.team.rights import Permission

DAYS = 7
"""Shown at first, today with them."""
AGAINST: Mapping[str, str] = {
    "before": later("as many days before"),
    "year": later("the same weekdays 52 weeks before"),
}

_HEADER = ("coach", "figure", "value", "unit", "earlier")
_COACH = ("replies", "first_responses", "first_response_median", "closed", "handed_over", "assigned_now")


@pages.get("/inbox/report")
def report() -> ResponseReturnValue:
    """`since`, `until`, `against`, `number`, `label`; what cannot be understood is left out."""
    asked, problem = _asked()
    found, earlier = _load(asked)
    with runtime.current().transaction() as tx:
        named = select(Number.id, Number.name).where(Number.environment == access.environment()).order_by(Number.name)
        numbers = [(id_, name) for id_, name in tx.execute(named)]
        tags = [(label.id, label.name) for label in labels.every(tx, access.environment())]
    return render_template(
        "dashboard/report.html",
        report=found,
        earlier=earlier,
        against=_against(),
        options=AGAINST,
        before=_compared(asked),
        figures=[(each, _shown(each, found.figures), _shown(each, earlier)) for each in FIGURES],
        coaches=_visible(found),
        took=took,
        numbers=numbers,
        labels=tags,
        given={name: request.args[name] for name in ("since", "until", "against") if request.args.get(name)},
        zone=times.zone().key,
        problem=problem,
    )


@pages.get("/inbox/report.csv")
def export_report() -> Response:
    asked, _problem = _asked()
    found, earlier = _load(asked)
    name = f"team-{asked.first}-{asked.last}"
    told: Response = downloads.csv(name, _HEADER, list(_rows(found, earlier)))
    return told


def took(seconds: float | None) -> str:
    """`45 s`, `12 min`, `5 h 12 min`, `3 d 4 h`; a dash for what nobody did."""
    if seconds is None:
        return "\u2013"
    whole = round(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return _("%(days)d d %(hours)d h", days=days, hours=hours)
    if hours:
        return _("%(hours)d h %(minutes)d min", hours=hours, minutes=minutes)
    return _("%(minutes)d min", minutes=minutes) if minutes else _("%(seconds)d s", seconds=whole)


def _load(asked: Asked) -> tuple[Report, Figures]:
    with runtime.current().transaction() as tx:
        return reports.load(tx, asked), reports.compare(tx, _compared(asked))


def _compared(asked: Asked) -> Asked:
    return asked.earlier(YEAR if _against() == "year" else None)


def _against() -> str:
    given = request.args.get("against", "")
    return given if given in AGAINST else "before"


def _asked() -> tuple[Asked, str | None]:
    """And what is wrong with the days, in whose place the last ones stand."""
    today = datetime.now(times.zone()).date()
    first, last = _day("since"), _day("until")
    last = last or (max(today, first) if first else today)
    first = first or last - timedelta(days=DAYS - 1)
    problem = None
    if not timedelta() <= last - first < timedelta(days=LONGEST_DAYS):
        problem = _("Choose days of which the first is not after the last, %(most)s at most.", most=LONGEST_DAYS)
        first, last = today - timedelta(days=DAYS - 1), today
    environment, number, label = access.environment().value, door.number("number"), door.number("label")
    return Asked(environment, first, last, times.zone(), number, label), problem


def _day(name: str) -> date | None:
    try:
        day = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return day if date(2009, 1, 1) <= day < date(2200, 1, 1) else None


def _visible(found: Report) -> list[CoachFigures]:
    """Everybody's for who leads the team, else one's own."""
    me = access.operator()
    return [each for each in found.coaches if Permission.TEAM_MANAGE in me.role or each.operator_id == me.id]


def _shown(figure: Figure, of: Figures) -> str:
    value = figure.of(of)
    return took(value) if figure.unit == "seconds" or value is None else f"{value:,}"


def _rows(found: Report, earlier: Figures) -> Iterator[tuple[object, ...]]:
    yield "", "first_day", found.asked.first, "day", _compared(found.asked).first
    yield "", "last_day", found.asked.last, "day", _compared(found.asked).last
    for figure in FIGURES:
        yield "", figure.name, figure.of(found.figures), figure.unit, figure.of(earlier)
    yield "", "waiting_now", found.waiting, "conversations", None
    yield "", "waiting_since", found.waiting_since, "time", None
    for coach in _visible(found):
        for name in _COACH:
            unit = "seconds" if name.endswith("median") else "messages" if name == "replies" else "conversations"
            yield coach.name or "phone app or API", name, getattr(coach, name), unit, None
