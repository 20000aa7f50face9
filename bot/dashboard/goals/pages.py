"""Pages: goals with their figures, one of them with what came before, and who is behind each number."""

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, downloads
from bot.dashboard.goals import compared
from bot.dashboard.inbox.report import took
from bot.dashboard.insights import chosen, leading
from bot.dashboard.insights import wording as speech
from bot.dashboard.insights.remarks import remarks
from bot.goals import goals, looking_back, wording
from bot.insights import asking, impact
from bot.insights.asking import InsightError
from bot.insights.choosing import Choice
from bot.insights.doers import Group
from bot.insights.impact import Asked
from bot.language import later, spoken
from bot.models.goals import Goal
from bot.models.words import AuthorKind
from bot.people import segments
from bot.people.rules.directory import Directory
from bot.people.segments import Maker, SegmentError

PAGE = 50
AUTHORS = {
    AuthorKind.STACK: later("Journey"),
    AuthorKind.COACH: later("Coach"),
    AuthorKind.REMINDER: later("Reminder"),
    AuthorKind.API: later("API"),
    AuthorKind.BROADCAST: later("Broadcast"),
    AuthorKind.AUTOMATION: later("Automation"),
    AuthorKind.APP: later("Phone app"),
    "": later("Nothing was sent before"),
}
GROUPS = {
    Group.DID: later("Did it"),
    Group.COMPLETED: later("Completed"),
    Group.WENT_ON: later("Started, and completed"),
    Group.LEFT: later("Started, and have not completed"),
}
pages = Blueprint("goals", __name__)
chosen.keep(pages)


@pages.get("/goals")
def index() -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        choice, problem = _choice(tx)
        told = compared.compare(tx, goals.every(tx, access.environment()), choice)
        page = render_template("dashboard/goals/index.html", told=told, **_shown(tx, choice, problem))
    return page, _status(problem)


@pages.get("/goals/<int:goal_id>")
def show(goal_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        goal = found(tx, goal_id)
        choice, problem = _choice(tx)
        group, behaviour_id = _group(goal)
        [told] = compared.compare(tx, [goal], choice)
        directory = Directory(tx, goal.environment)
        page = render_template(
            "dashboard/goals/goal.html",
            goal=goal,
            told=told,
            said={each.id: wording.said(directory, each) for each in goal.behaviours},
            lineage=impact.lineage(tx, told.now.asked, group, behaviour_id),
            group=group,
            behaviour_id=behaviour_id,
            looking=[(each, looking_back.share(each)) for each in goal.behaviours if each.looked_at is None],
            explanation=impact.EXPLANATION,
            lineage_explanation=impact.LINEAGE_EXPLANATION,
            authors=spoken(AUTHORS),
            leading=leading,
            **_shown(tx, choice, problem),
        )
    return page, _status(problem)


@pages.get("/goals/<int:goal_id>.csv")
def export(goal_id: int) -> Response:
    with runtime.current().transaction() as tx:
        goal = found(tx, goal_id)
        choice = _demanded(tx)
        [told] = compared.compare(tx, [goal], choice)
        rows = list(compared.rows(tx, told))
    answer: Response = downloads.csv(
        f"goal-{goal_id}-{choice.period.first}-{choice.period.last}", compared.HEADER, rows
    )
    return answer


@pages.get("/goals/<int:goal_id>/people")
def people(goal_id: int) -> ResponseReturnValue:
    """Whoever one number counts, a page at a time."""
    with runtime.current().transaction() as tx:
        goal = found(tx, goal_id)
        choice, problem = _choice(tx)
        group, behaviour_id = _group(goal)
        after = max(0, min(request.args.get("after", 0, int), 2**63 - 1))
        who = impact.who(tx, Asked(goal, choice.period, choice.which), group, behaviour_id, after=after, most=PAGE)
        page = render_template(
            "dashboard/goals/people.html",
            goal=goal,
            who=who,
            more=who[-1].person_id if len(who) == PAGE else None,
            group=group,
            behaviour=next((each for each in goal.behaviours if each.id == behaviour_id), None),
            groups=spoken(GROUPS),
            authors=spoken(AUTHORS),
            **_shown(tx, choice, problem),
        )
    return page, _status(problem)


@pages.post("/goals/<int:goal_id>/people")
def keep(goal_id: int) -> ResponseReturnValue:
    """The same people as a segment, as they are now."""
    try:
        with runtime.current().transaction() as tx:
            goal = found(tx, goal_id)
            choice = _demanded(tx)
            group, behaviour_id = _group(goal)
            ids = impact.people(tx, Asked(goal, choice.period, choice.which), group, behaviour_id)
            name, maker = request.form.get("name", ""), Maker(operator_id=access.operator().id)
            segment, _added = segments.add_selection(tx, goal.environment, name, ids, f"Goal {goal.name}", maker)
    except SegmentError as error:
        flash(str(error), "danger")
        return redirect(url_for("goals.people", goal_id=goal_id, group=group, behaviour=behaviour_id), 303)
    return redirect(url_for("segments.show", segment_id=segment.id), 303)


def found(tx: Session, goal_id: int) -> Goal:
    goal = tx.get(Goal, min(goal_id, 2**63 - 1))
    if goal is None:
        abort(404)
    access.show_environment(goal.environment)
    return goal


def _choice(tx: Session) -> tuple[Choice, str | None]:
    """And what is wrong with it, in whose place the last days stand."""
    try:
        choice = chosen.read()
        asking.check(tx, choice.which)
    except InsightError as error:
        return chosen.at_first(), chosen.said(error)
    return choice, None


def _demanded(tx: Session) -> Choice:
    """For what leaves the page or is made of it: other days than were asked for would be wrong."""
    choice, problem = _choice(tx)
    return choice if problem is None else abort(400, problem)


def _group(goal: Goal) -> tuple[Group, int | None]:
    """Completed, unless the address names another group, or a behaviour of this goal; 404 for what there is not."""
    behaviour, word = request.args.get("behaviour"), request.args.get("group") or Group.COMPLETED
    known = {str(each.id): each.id for each in goal.behaviours}
    if behaviour:
        return Group.DID, known[behaviour] if behaviour in known else abort(404)
    return (Group(word) if word in set(Group) else abort(404)), None


def _status(problem: str | None) -> int:
    return 400 if problem else 200


def _shown(tx: Session, choice: Choice, problem: str | None) -> dict[str, object]:
    told = {"choice": choice, "problem": problem, "took": took, "remarks": list(remarks(choice, speech.today()))}
    return told | chosen.offered(tx)
