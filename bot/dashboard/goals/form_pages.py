"""Pages: a goal made and changed by a form. Each button posts it; with a script only the part that moves comes back."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.dashboard.goals import form
from bot.dashboard.goals.form import Row
from bot.dashboard.goals.pages import found
from bot.dashboard.goals.pages import pages as pages
from bot.goals import goals, links, wording
from bot.goals.goals import GoalError
from bot.language import _, spoken
from bot.models.goals import Goal, PersonEvent
from bot.models.journey import Journey
from bot.people import properties
from bot.people.rules.operators import Shape

_LONGEST = 60
_KNOWN_EVENTS = 50


@pages.get("/goals/new")
def new() -> ResponseReturnValue:
    return _page(form.blank(), {"looks_back": "yes"})


@pages.post("/goals/build")
def build() -> ResponseReturnValue:
    """After a button of the form: the page anew, or with `part` its rows for the script."""
    rows = form.change(form.read(request.form), request.form.get("do", ""))
    if "part" in request.form:
        with runtime.current().transaction() as tx:
            return render_template("dashboard/goals/_rows.html", rows=rows, problems={}, **_choices(tx))
    return _page(rows, request.form, request.form.get("goal", 0, int) or None)


@pages.post("/goals")
def create() -> ResponseReturnValue:
    return _save(None)


@pages.get("/goals/<int:goal_id>/edit")
def edit(goal_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        data = goals.as_data(found(tx, goal_id))
        rows = form.of_data(data, properties.custom(tx, access.environment()))
    given = {"name": data["name"], "description": data["description"], "looks_back": "yes" * data["looks_back"]}
    return _page(rows, given, goal_id)


@pages.post("/goals/<int:goal_id>/edit")
def change(goal_id: int) -> ResponseReturnValue:
    return _save(goal_id)


@pages.post("/goals/<int:goal_id>/remove")
def remove(goal_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        goal = found(tx, goal_id)
        goals.remove(tx, goal, access.by())
    flash(_("%(name)s is removed; its people are as they were.", name=goal.name))
    return redirect(url_for("goals.index"), 303)


def _save(goal_id: int | None) -> ResponseReturnValue:
    rows, given = form.read(request.form), request.form
    told = {"name": given.get("name"), "description": given.get("description"), "looks_back": "looks_back" in given}
    try:
        with runtime.current().transaction() as tx:
            saved = _saved(tx, goal_id, told, rows)
    except GoalError as error:
        return _page(rows, given, goal_id, form.placed(error.problems)), 422
    flash(_("Saved. What people do counts from now on."))
    return redirect(url_for("goals.show", goal_id=saved.id), 303)


def _saved(tx: Session, goal_id: int | None, told: dict[str, Any], rows: Sequence[Row]) -> Goal:
    if goal_id is None:
        data = told | form.as_data(rows, properties.custom(tx, access.environment()))
        return goals.create(tx, access.environment(), data, access.by())
    goal = found(tx, goal_id)
    goals.change(tx, goal, told | form.as_data(rows, properties.custom(tx, goal.environment)), access.by())
    return goal


def _page(
    rows: list[Row], given: Mapping[str, Any], goal_id: int | None = None, problems: Mapping[str, str] | None = None
) -> str:
    with runtime.current().transaction() as tx:
        return render_template(
            "dashboard/goals/form.html",
            rows=rows,
            given=given,
            goal=None if goal_id is None else found(tx, goal_id),
            problems=problems or {},
            **_choices(tx),
        )


def _choices(tx: Session) -> dict[str, Any]:
    types = properties.custom(tx, access.environment())
    return {
        "kinds": spoken(wording.KINDS),
        "types": types,
        "shapes": Shape,
        "shape": lambda row: form.shape(row.given, types),
        "operators": lambda row: spoken(form.operators(types.get(row.given.get("of", "")))),
        "journeys": _journeys(tx),
        "events": _events(tx),
        "links": [link.name for link in links.every(tx, access.environment())],
    }


def _journeys(tx: Session) -> dict[str, list[tuple[str, str]]]:
    """Name → (value, label) of each step."""
    active = select(Journey.name, Journey.spec).where(Journey.environment == access.environment(), Journey.active)
    return {
        name: [(f"{n}:{name}", f"{n}. {_start(step)}") for n, step in enumerate(spec["steps"], 1)]
        for name, spec in tx.execute(active.order_by(Journey.name))
    }


def _start(step: Mapping[str, str]) -> str:
    words = " ".join((step.get("ask") or step.get("say") or "").split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _events(tx: Session) -> Sequence[str]:
    """Names that programs have told lately, to choose from."""
    newest = select(PersonEvent.name).where(PersonEvent.environment == access.environment())
    lately = newest.order_by(PersonEvent.id.desc()).limit(1_000).subquery()
    return tx.scalars(select(lately.c.name).distinct().order_by(lately.c.name).limit(_KNOWN_EVENTS)).all()
