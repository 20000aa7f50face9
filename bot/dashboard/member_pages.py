"""Pages: one member of the team: role, password, second factor, and the browsers they are signed in with."""

from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, browsers, team
from bot.language import _
from bot.models.team import Operator
from bot.team import audit, factor, operators, resets, rights, sign_ins, single_sign_on
from bot.team.audit import Action
from bot.team.operators import OperatorError

pages = Blueprint("member", __name__)


@pages.get("/team/<int:operator_id>")
def show(operator_id: int) -> ResponseReturnValue:
    return _page(operator_id)


@pages.post("/team/<int:operator_id>/role")
def change_role(operator_id: int) -> ResponseReturnValue:
    role = request.form.get("role", "")

    def change(tx: Session, found: Operator) -> None:
        before = str(rights.of(found))
        team.may_give(tx, role)
        operators.set_role(tx, operator_id, role)
        told = {"role": before}, {"role": str(rights.of(found))}
        audit.note(tx, access.by(), Action.ROLE_CHANGED, f"operator {operator_id}", before=told[0], after=told[1])

    return _change(operator_id, change, _("The role is changed."))


@pages.post("/team/<int:operator_id>/deactivate")
def deactivate(operator_id: int) -> ResponseReturnValue:
    return _switch(operator_id, operators.deactivate, Action.DEACTIVATED, _("Deactivated, and signed out."))


@pages.post("/team/<int:operator_id>/activate")
def activate(operator_id: int) -> ResponseReturnValue:
    return _switch(operator_id, operators.activate, Action.ACTIVATED, _("Active again, with the old password."))


@pages.post("/team/<int:operator_id>/password")
def reset(operator_id: int) -> ResponseReturnValue:
    """A link to choose a new password, shown this once; the old one works until it is used."""
    try:
        with runtime.current().transaction() as tx:
            mine_to_change(tx, operator_id)
            secret = resets.offer(tx, operator_id)
            audit.note(tx, access.by(), Action.PASSWORD_LINK_MADE, f"operator {operator_id}")
    except OperatorError as error:
        return _page(operator_id, refused=str(error)), 409
    return _page(operator_id, link=runtime.current().settings.base_url + url_for("joining.reset", secret=secret))


@pages.post("/team/<int:operator_id>/factor")
def reset_factor(operator_id: int) -> ResponseReturnValue:
    """For somebody whose device is gone; their sessions end, as whoever has the device may have one."""

    def change(tx: Session, found: Operator) -> None:
        factor.turn_off(tx, found.id)
        sign_ins.end_all(tx, found.id)
        audit.note(tx, access.by(), Action.FACTOR_REMOVED, f"operator {operator_id}")

    return _change(operator_id, change, _("The second factor is gone: the password alone signs them in."))


@pages.post("/team/<int:operator_id>/provider")
def forget_provider(operator_id: int) -> ResponseReturnValue:
    """For somebody whose account there was made anew; their sessions end, as they are the former account's."""

    def change(tx: Session, found: Operator) -> None:
        single_sign_on.forget(tx, found)
        audit.note(tx, access.by(), Action.PROVIDER_FORGOTTEN, f"operator {operator_id}")

    return _change(operator_id, change, _("Forgotten: at the next sign-in their e-mail address says who they are."))


@pages.post("/team/<int:operator_id>/sessions/end")
def end_sessions(operator_id: int) -> ResponseReturnValue:
    def change(tx: Session, _: Operator) -> None:
        one = request.form.get("sign_in", "")
        if one.isascii() and one.isdecimal() and len(one) < 19:
            sign_ins.end_one(tx, operator_id, int(one))
        else:
            sign_ins.end_all(tx, operator_id)
        audit.note(tx, access.by(), Action.SESSIONS_ENDED, f"operator {operator_id}")

    return _change(operator_id, change, _("Signed out there."))


def mine_to_change(session: Session, operator_id: int) -> Operator:
    """Who may do more than oneself is not one's to change: their password would be a way to what they may."""
    try:
        found = operators.get(session, operator_id)
    except OperatorError:
        abort(404)
    if not rights.of(found).permissions <= access.operator().role.permissions:
        abort(403, _("%(name)s may do more than you: ask an admin.", name=found.name))
    return found


def _switch(operator_id: int, switch: Callable[[Session, int], None], action: Action, done: str) -> ResponseReturnValue:
    def change(tx: Session, _: Operator) -> None:
        switch(tx, operator_id)
        audit.note(tx, access.by(), action, f"operator {operator_id}")

    return _change(operator_id, change, done)


def _change(operator_id: int, change: Callable[[Session, Operator], None], done: str) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            change(tx, mine_to_change(tx, operator_id))
    except OperatorError as error:
        return _page(operator_id, refused=str(error)), 409
    flash(done)
    return redirect(url_for("member.show", operator_id=operator_id), 303)


def _page(operator_id: int, *, refused: str | None = None, link: str | None = None) -> str:
    with runtime.current().transaction() as tx:
        try:
            found = operators.get(tx, operator_id)
        except OperatorError:
            abort(404)
        return render_template(
            "dashboard/member.html",
            member=found,
            role=rights.of(found),
            roles=team.roles(tx),
            sessions=browsers.listed(sign_ins.of_operator(tx, operator_id, access.limits())),
            me=access.operator(),
            refused=refused,
            link=link,
        )
