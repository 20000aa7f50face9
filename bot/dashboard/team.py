"""Pages: the team, for admins."""

from collections.abc import Callable, Mapping

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.models.words import Role
from bot.team import operators, passwords
from bot.team.operators import OperatorError

pages = Blueprint("team", __name__)

DUTIES: Mapping[Role, str] = {
    Role.COACH: "Coach: the inbox and reminders",
    Role.MARKETER: "Marketer: imports, segments, broadcasts and reminders",
    Role.ADMIN: "Admin: everything, and the team",
}


@pages.get("/team")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/team")
def add() -> ResponseReturnValue:
    """Add somebody with a random password, which the answer shows this once; it is stored nowhere but as a hash."""
    form, password = request.form, passwords.generate()
    try:
        with runtime.current().transaction() as tx:
            added = operators.add(
                tx, email=form.get("email", ""), name=form.get("name", ""), role=form.get("role", ""), password=password
            )
            shown = added.name, added.email
    except OperatorError as error:
        return _page(refused=str(error)), 422
    return _page(given=(*shown, password))


@pages.post("/team/<int:operator_id>/password")
def reset(operator_id: int) -> ResponseReturnValue:
    """Give somebody a new random password, shown this once, and sign them out everywhere."""
    password = passwords.generate()
    with runtime.current().transaction() as tx:
        operators.set_password(tx, _known(tx, operator_id), password)
        found = operators.get(tx, operator_id)
        shown = found.name, found.email
    if operator_id == access.operator().id:
        return redirect(url_for("account.index"), 303)
    return _page(given=(*shown, password))


@pages.post("/team/<int:operator_id>/role")
def change_role(operator_id: int) -> ResponseReturnValue:
    role = request.form.get("role", "")
    return _change(operator_id, lambda tx: operators.set_role(tx, operator_id, role), "The role is changed.")


@pages.post("/team/<int:operator_id>/deactivate")
def deactivate(operator_id: int) -> ResponseReturnValue:
    return _change(operator_id, lambda tx: operators.deactivate(tx, operator_id), "Deactivated, and signed out.")


@pages.post("/team/<int:operator_id>/activate")
def activate(operator_id: int) -> ResponseReturnValue:
    return _change(operator_id, lambda tx: operators.activate(tx, operator_id), "Active again, with the old password.")


def _change(operator_id: int, change: Callable[[Session], None], done: str) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            _known(tx, operator_id)
            change(tx)
    except OperatorError as error:
        return _page(refused=str(error)), 409
    flash(done)
    return redirect(url_for("team.index"), 303)


def _known(session: Session, operator_id: int) -> int:
    try:
        return operators.get(session, operator_id).id
    except OperatorError:
        abort(404)


def _page(*, refused: str | None = None, given: tuple[str, str, str] | None = None) -> str:
    with runtime.current().transaction() as tx:
        everyone = operators.everyone(tx)
    return render_template(
        "dashboard/team.html",
        everyone=everyone,
        me=access.operator(),
        duties=DUTIES,
        form=request.form if refused else {},
        refused=refused,
        given=given,
    )
