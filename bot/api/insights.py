"""REST for programs: the blocks of Insights; docs/api.md is its manual."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, jsonify, request

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate
from bot.api.refusals import RefusalError
from bot.insights import choosing
from bot.insights.asking import InsightError, NotCountedYetError, Period
from bot.insights.blocks import telling
from bot.insights.blocks.shapes import Value
from bot.insights.blocks.table import BLOCKS
from bot.insights.blocks.telling import Told
from bot.insights.choosing import Choice
from bot.models.team import ApiToken
from bot.team import tokens
from bot.team.rights import Permission

api = refusals.blueprint("insights_api", __name__)


@api.get("/insights")
def index() -> Response:
    authenticate()
    return jsonify(
        {"blocks": [{"name": block.name, "question": block.part, "title": block.title} for block in BLOCKS.values()]}
    )


@api.get("/insights/<name>")
def show(name: str) -> Response:
    """Shares are from 0 to 1, times in seconds, and null is where there was nothing to divide by."""
    token = authenticate(choosing.WORDS)
    block = BLOCKS.get(name)
    if block is None:
        raise RefusalError(404, "unknown_block", f"There is no such block: use {', '.join(BLOCKS)}.")
    try:
        choice = _choice(token)
        with runtime.current().transaction() as session:
            [told] = telling.tell(session, choice, [block])
    except InsightError as error:
        raise RefusalError(400, "unexpected_query", str(error), error.about) from error
    except NotCountedYetError as error:
        raise RefusalError(503, "not_counted_yet", str(error)) from error
    return jsonify(_shape(told, choice))


def _choice(token: ApiToken) -> Choice:
    today = datetime.now(ZoneInfo(runtime.current().settings.time_zone)).date()
    choice = choosing.read(request.args, token.environment, today)
    if choice.which.segment_id and not tokens.allows(token, Permission.SEGMENTS_READ):
        raise InsightError("segment asks for a token with the scope segments.read: leave it out.", "segment")
    return choice


def _shape(told: Told, choice: Choice) -> dict[str, Any]:
    block, answer = told.block, told.answer
    names = [column.name for column in answer.columns]
    return {
        "name": block.name,
        "question": block.part,
        "title": block.title,
        "explanation": block.said,
        "period": _days(choice.period),
        "before": choice.compared and _days(choice.compared),
        "number": choice.which.number_id if block.heeds_number else None,
        "segment": choice.which.segment_id,
        "figures": [
            {
                "name": figure.name,
                "unit": figure.unit,
                "value": figure.value,
                "before": before.value if (before := told.before(figure)) else None,
            }
            for figure in answer.figures
        ],
        "columns": [{"name": column.name, "unit": column.unit} for column in answer.columns],
        "rows": [dict(zip(names, map(_value, row), strict=True)) for row in answer.rows],
    }


def _days(period: Period) -> dict[str, str | bool]:
    zone = runtime.current().settings.time_zone
    is_over = period.last < datetime.now(ZoneInfo(zone)).date()
    return {"first": period.first.isoformat(), "last": period.last.isoformat(), "time_zone": zone, "is_over": is_over}


def _value(value: Value) -> str | int | float | None:
    return value.isoformat() if isinstance(value, date) else value
