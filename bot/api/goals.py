"""REST for programs: goals, their figures, and who is behind each of them; docs/api.md is its manual."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from bot import runtime
from bot.api import answers, refusals
from bot.api.access import authenticate, by, read_fields, read_whole
from bot.api.refusals import RefusalError
from bot.api.requests import LARGEST_ID
from bot.goals import goals, looking_back
from bot.goals.goals import GoalError
from bot.insights import asking, choosing, impact
from bot.insights.asking import Filter, InsightError, Period
from bot.insights.choosing import Choice
from bot.insights.doers import Group
from bot.insights.impact import Asked, Came, Impact
from bot.models.goals import Goal
from bot.models.team import ApiToken
from bot.team import tokens
from bot.team.rights import Permission

PAGE = 500

api = refusals.blueprint("goals_api", __name__)


@api.get("/goals")
def index() -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify({"goals": [_shape(goal) for goal in goals.every(session, token.environment)]})


@api.post("/goals")
def create() -> Response:
    token = authenticate()
    given = read_fields(*goals.KNOWN)
    with runtime.current().transaction() as session:
        told = _kept(lambda: _shape(goals.create(session, token.environment, given, by(token))))
    return answers.made(told, f"goals/{told['id']}")


@api.get("/goals/<int:goal_id>")
def show(goal_id: int) -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify(_shape(_found(session, token, goal_id)))


@api.put("/goals/<int:goal_id>")
def change(goal_id: int) -> Response:
    """Whole, as `create` takes it."""
    token = authenticate()
    given = read_fields(*goals.KNOWN)
    with runtime.current().transaction() as session:
        goal = _found(session, token, goal_id)
        _kept(lambda: goals.change(session, goal, given, by(token)))
        return jsonify(_shape(goal))


@api.delete("/goals/<int:goal_id>")
def remove(goal_id: int) -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        goals.remove(session, _found(session, token, goal_id), by(token))
    return Response(status=204)


@api.get("/goals/<int:goal_id>/figures")
def figures(goal_id: int) -> Response:
    """Shares are from 0 to 1, times in seconds, and null is where there was nothing to divide by."""
    token = authenticate(choosing.WORDS)
    with runtime.current().transaction() as session:
        goal, choice = _found(session, token, goal_id), _choice(session, token)
        now = impact.impact(session, Asked(goal, choice.period, choice.which))
        then = choice.compared and impact.impact(session, Asked(goal, choice.compared, choice.which))
        came = impact.lineage(session, now.asked, Group.COMPLETED)
        before = {row.behaviour.id: impact.lineage(session, now.asked, Group.DID, row.behaviour.id) for row in now.rows}
    return jsonify(
        {
            "explanation": impact.EXPLANATION,
            "period": _days(choice.period),
            "figures": _figures(now),
            "before": then and {"period": _days(then.asked.period), "figures": _figures(then)},
            "completed_after": _came(came),
            "behaviours": [
                {"id": row.behaviour.id, "people": row.people, "after": _came(before[row.behaviour.id])}
                for row in now.rows
            ],
        }
    )


@api.get("/goals/<int:goal_id>/people")
def people(goal_id: int) -> Response:
    """In the order of ids; `after` is the `more` of the page before."""
    token = authenticate((*choosing.WORDS, "group", "behaviour", "after"))
    after, behaviour_id = read_whole("after") or 0, read_whole("behaviour")
    word = request.args.get("group", Group.DID if behaviour_id else Group.COMPLETED)
    if word not in set(Group):
        raise RefusalError(400, "unexpected_query", f"group is one of {', '.join(Group)}.", "group")
    with runtime.current().transaction() as session:
        goal, choice = _found(session, token, goal_id), _choice(session, token)
        if behaviour_id is not None and behaviour_id not in {each.id for each in goal.behaviours}:
            raise RefusalError(400, "unexpected_query", "behaviour is the id of one of this goal's.", "behaviour")
        asked = Asked(goal, choice.period, choice.which)
        found = impact.who(session, asked, Group(word), behaviour_id, after=after, most=PAGE)
    told = [
        {
            "id": row.person_id,
            "distinct_id": row.distinct_id,
            "at": row.at.astimezone(UTC).isoformat(),
            "after": row.author_kind or None,
        }
        for row in found
    ]
    return jsonify({"people": told, "more": told[-1]["id"] if len(told) == PAGE else None})


def _kept(work: Callable[[], Any]) -> Any:  # noqa: ANN401 (what it returns)
    try:
        return work()
    except GoalError as error:
        field, text = next(iter(error.problems.items()))
        raise RefusalError(422, "bad_goal", text, field) from error


def _found(session: Session, token: ApiToken, goal_id: int) -> Goal:
    goal, environment = session.get(Goal, min(goal_id, LARGEST_ID)), token.environment
    if goal is None or goal.environment != environment:
        raise RefusalError(404, "unknown_goal", f"There is no such goal in {environment}.")
    return goal


def _choice(session: Session, token: ApiToken) -> Choice:
    today = datetime.now(ZoneInfo(runtime.current().settings.time_zone)).date()
    try:
        choice = choosing.read(request.args, token.environment, today)
        _demand(session, choice.which, token)
    except InsightError as error:
        raise RefusalError(400, "unexpected_query", str(error), error.about) from error
    return choice


def _demand(session: Session, which: Filter, token: ApiToken) -> None:
    """What is asked for must be there, and a segment be one that the token may look at."""
    if which.segment_id and not tokens.allows(token, Permission.SEGMENTS_READ):
        raise InsightError("segment asks for a token with the scope segments.read: leave it out.", "segment")
    asking.check(session, which)


def _shape(goal: Goal) -> dict[str, Any]:
    rows = goal.behaviours
    return {
        "id": goal.id,
        **goals.as_data(goal),
        "behaviours": [
            {"id": each.id, "role": each.role, "name": each.name, "looked_back": round(looking_back.share(each), 3)}
            for each in rows
        ],
        "created_at": goal.created_at.astimezone(UTC).isoformat(),
    }


def _figures(told: Impact) -> dict[str, Any]:
    names = ("started", "completed", "went_on", "share", "median_s")
    return {name: getattr(told, name) for name in names}


def _came(found: Sequence[Came]) -> list[dict[str, Any]]:
    return [
        {
            "kind": each.kind or None,
            "id": each.author_id or None,
            "name": each.name or None,
            "step": each.step,
            "people": each.people,
        }
        for each in found
    ]


def _days(period: Period) -> dict[str, str]:
    return {"first": period.first.isoformat(), "last": period.last.isoformat()}
