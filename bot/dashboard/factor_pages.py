"""Pages: one's own second factor: set up with a drawing for an app, recovery codes, and switched off again."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _
from bot.team import audit, factor, operators, passwords, throttle
from bot.team.audit import Action
from bot.team.operators import OperatorError

pages = Blueprint("factor", __name__)


@pages.get("/account/factor")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/account/factor")
def turn_on() -> ResponseReturnValue:
    """The form brings the proposal back, sealed by us; the recovery codes are shown this once."""
    me, rt = access.operator(), runtime.current()
    sealed = request.form.get("proposal", "").encode(errors="replace")
    if throttle.seconds_to_wait_for_code(rt.redis, me.id):
        return _page(refused=_("Too many tries: wait a quarter of an hour.")), 429
    try:
        with rt.transaction() as tx:
            _refuse_second(tx, me.id)
            codes = factor.turn_on(tx, rt.settings, me.id, sealed, request.form.get("code", ""))
            audit.note(tx, access.by(), Action.FACTOR_ADDED, f"operator {me.id}")
    except OperatorError as error:
        return _page(refused=str(error), proposal=sealed), 422
    throttle.forget_codes(rt.redis, me.id)
    return _page(codes=codes)


@pages.post("/account/factor/codes")
def renew_codes() -> ResponseReturnValue:
    me, rt = access.operator(), runtime.current()
    try:
        with rt.transaction() as tx:
            _ask_password(tx)
            codes = factor.renew_codes(tx, me.id)
            audit.note(tx, access.by(), Action.CODES_RENEWED, f"operator {me.id}")
    except OperatorError as error:
        return _page(refused=str(error)), 422
    return _page(codes=codes)


@pages.post("/account/factor/off")
def turn_off() -> ResponseReturnValue:
    me, rt = access.operator(), runtime.current()
    try:
        with rt.transaction() as tx:
            _ask_password(tx)
            _refuse_if_required(tx)
            factor.turn_off(tx, me.id)
            audit.note(tx, access.by(), Action.FACTOR_REMOVED, f"operator {me.id}")
    except OperatorError as error:
        return _page(refused=str(error)), 422
    flash(_("The second factor is off: your password alone signs you in."))
    return redirect(url_for("account.index"), 303)


def _refuse_second(session: Session, operator_id: int) -> None:
    """Else a browser left open would be enough to put another device in the place of the first."""
    if operators.get(session, operator_id).sealed_factor is not None:
        raise OperatorError(_("You have a second factor already: switch it off first."))


def _refuse_if_required(session: Session) -> None:
    if factor.is_required(session):
        raise OperatorError(_("The team asks everybody for a second factor: an admin can reset yours."))


def _ask_password(session: Session) -> None:
    me, rt = access.operator(), runtime.current()
    where = f"account {request.remote_addr}"
    if throttle.seconds_to_wait(rt.redis, me.email, where):
        raise OperatorError(_("Too many tries: wait a quarter of an hour."))
    if not passwords.verify(operators.get(session, me.id).password_hash, request.form.get("current", "")):
        raise OperatorError(_("That is not your present password."))
    throttle.forget(rt.redis, me.email, where)


def _page(*, refused: str | None = None, codes: list[str] | None = None, proposal: bytes | None = None) -> str:
    me, settings = access.operator(), runtime.current().settings
    with runtime.current().transaction() as tx:
        is_on = operators.get(tx, me.id).sealed_factor is not None
        left, required = factor.codes_left(tx, me.id), factor.is_required(tx)
    shown = {}
    if not is_on:
        try:
            offered = proposal or factor.propose(settings)
            address = factor.address(settings, offered, me.email)
        except OperatorError:  # the form brought back what is not ours
            offered = factor.propose(settings)
            address = factor.address(settings, offered, me.email)
        shown = {
            "proposal": offered.decode(),
            "drawing": factor.drawing(address),
            "typed": factor.typed(settings, offered),
        }
    return render_template(
        "dashboard/factor.html", is_on=is_on, left=left, required=required, codes=codes, refused=refused, **shown
    )
