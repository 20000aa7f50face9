"""REST for programs: the team's numbers for some days; docs/api.md is its manual."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, jsonify, request

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate, read_whole
from bot.api.refusals import RefusalError
from bot.conversations import report
from bot.conversations.figures import LONGEST_DAYS, Asked
from bot.conversations.report import Figures

api = refusals.blueprint("report_api", __name__)

_QUERY = ("since", "until", "number", "label")


@api.get("/team/report")
def show() -> Response:
    """Both days count; times are in seconds, and null where nothing took any."""
    token = authenticate(_QUERY)
    asked = _asked(token.environment)
    with runtime.current().transaction() as session:
        found = report.load(session, asked)
        earlier = report.compare(session, asked.earlier())
    since = found.waiting_since
    return jsonify(
        {
            "period": _shape(asked, found.figures),
            "before": _shape(asked.earlier(), earlier),
            "waiting": {"count": found.waiting, "since": since and since.astimezone(UTC).isoformat()},
            "coaches": [asdict(each) for each in found.coaches],
        }
    )


def _asked(environment: str) -> Asked:
    zone = ZoneInfo(runtime.current().settings.time_zone)
    first, last = _day("since"), _day("until")
    days = (last - first).days + 1
    if not 1 <= days <= LONGEST_DAYS:
        text = f"until is since or later, and the days are {LONGEST_DAYS:,} at most."
        raise RefusalError(400, "unexpected_query", text, "until")
    return Asked(environment, first, last, zone, read_whole("number"), read_whole("label"))


def _shape(asked: Asked, figures: Figures) -> dict[str, Any]:
    days = {"first": asked.first.isoformat(), "last": asked.last.isoformat(), "time_zone": asked.zone.key}
    return days | asdict(figures)


def _day(name: str) -> date:
    try:
        day = datetime.strptime(request.args.get(name, ""), "%Y-%m-%d").date()  # noqa: DTZ007 (a day has no zone)
    except ValueError:
        day = date.min
    if not date(2009, 1, 1) <= day < date(2200, 1, 1):
        raise RefusalError(400, "unexpected_query", f"{name} is a day like 2030-03-01.", name)
    return day
