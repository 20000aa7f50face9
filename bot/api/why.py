"""REST for programs: why somebody got a message or did not; docs/api.md is its manual."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Response, jsonify, request

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate
from bot.api.profiles import whom
from bot.api.refusals import RefusalError
from bot.why import chains, days, shapes
from bot.why.chains import WhyError

api = refusals.blueprint("why_api", __name__)

_QUESTIONS = ("broadcast", "message", "day")


@api.get("/people/<path:who>/why")
def why(who: str) -> Response:
    """One of broadcast, message and day; without any of them today, in BACKCHAT_TIME_ZONE."""
    token = authenticate(_QUESTIONS)
    if len(request.args) > 1:
        raise RefusalError(400, "unexpected_query", f"Ask for one at a time: {', '.join(_QUESTIONS)}.")
    rt = runtime.current()
    zone = ZoneInfo(rt.settings.time_zone)
    with rt.transaction() as session:
        person = whom(session, token, who)
        try:
            if "broadcast" in request.args:
                return jsonify(shapes.chain(chains.of_broadcast(session, person, _id("broadcast"))))
            if "message" in request.args:
                return jsonify(shapes.chain(chains.of_message(session, person, _id("message"))))
        except WhyError as error:
            raise RefusalError(404, "not_found", str(error)) from error
        return jsonify(shapes.day(days.of_day(session, person, _day(zone), zone)))


def _id(name: str) -> int:
    given = request.args[name]
    if not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise RefusalError(400, "unexpected_query", f"{name} must be a whole number above zero.", name)
    return int(given)


def _day(zone: ZoneInfo) -> date:
    given = request.args.get("day")
    if given is None:
        return datetime.now(zone).date()
    try:
        asked = date.fromisoformat(given)
    except ValueError:
        raise RefusalError(400, "unexpected_query", "day must be like 2030-03-01.", "day") from None
    if not date(2000, 1, 1) <= asked <= date(2999, 12, 31):
        raise RefusalError(400, "unexpected_query", "day must lie between 2000 and 2999.", "day")
    return asked
