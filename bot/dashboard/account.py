"""Pages: one's own account: the password, and the browsers one is signed in with."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access, browsers
from bot.language import _
from bot.team import audit, operators, sign_ins, throttle
from bot.team.audit import Action
from bot.team.operators import OperatorError
from bot.team.passwords import PasswordError

pages = Blueprint("account", __name__)


@pages.get("/account")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/account/password")
def change_password() -> ResponseReturnValue:
    """Every session of the operator ends; this browser gets a new one."""
    me, rt = access.operator(), runtime.current()
    current, new, again = (request.form.get(name, "") for name in ("current", "new", "again"))
    if throttle.seconds_to_wait(rt.redis, me.email, f"account {request.remote_addr}"):
        return _refuse("current", _("Too many tries: wait a quarter of an hour."), 429)
    if new != again:
        return _refuse("again", _("This is not the same as the new password above."))
    try:
        with rt.transaction() as tx:
            operators.change_own_password(tx, me.id, current, new)
            secret = sign_ins.begin(tx, me.id, place=access.place())
            audit.note(tx, access.by(), Action.PASSWORD_CHANGED, f"operator {me.id}")
    except PasswordError as error:
        return _refuse("new", str(error))
    except OperatorError as error:
        return _refuse("current", str(error))
    throttle.forget(rt.redis, me.email, f"account {request.remote_addr}")
    access.remember(secret)
    flash(_("The password is changed, and every other browser that was signed in as you is signed out."))
    return redirect(url_for("account.index"), 303)


@pages.post("/account/language")
def speak() -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            operators.speak(tx, access.operator().id, request.form.get("language", ""))
    except OperatorError as error:
        return _refuse("language", str(error))
    return redirect(url_for("account.index"), 303)


@pages.post("/account/phone")
def give_phone() -> ResponseReturnValue:
    typed = request.form.get("phone", "").replace("\0", "")[:60]
    try:
        with runtime.current().transaction() as tx:
            operators.give_phone(tx, access.operator().id, typed)
    except OperatorError as error:
        return _refuse("phone", str(error))
    return redirect(url_for("account.index"), 303)


@pages.post("/account/sessions/<int:sign_in_id>/end")
def end_session(sign_in_id: int) -> ResponseReturnValue:
    me = access.operator()
    with runtime.current().transaction() as tx:
        if not sign_ins.end_one(tx, me.id, sign_in_id):
            abort(404)
        audit.note(tx, access.by(), Action.SESSIONS_ENDED, f"operator {me.id}")
    flash(_("Signed out there."))
    return redirect(url_for("account.index"), 303)


@pages.post("/account/sessions/end")
def end_others() -> ResponseReturnValue:
    me = access.operator()
    with runtime.current().transaction() as tx:
        sign_ins.end_all(tx, me.id, but=me.sign_in_id)
        audit.note(tx, access.by(), Action.SESSIONS_ENDED, f"operator {me.id}")
    flash(_("Signed out everywhere else."))
    return redirect(url_for("account.index"), 303)


def _refuse(field: str, why: str, status: int = 422) -> ResponseReturnValue:
    return _page({field: why}), status


def _page(problems: dict[str, str] | None = None) -> str:
    me = access.operator()
    with runtime.current().transaction() as tx:
        mine = operators.get(tx, me.id)
        return render_template(
            "dashboard/account.html",
            me=me,
            phone=request.form.get("phone", mine.phone or ""),
            has_factor=mine.sealed_factor is not None,
            sessions=browsers.listed(sign_ins.of_operator(tx, me.id, access.limits())),
            problems=problems or {},
        )
