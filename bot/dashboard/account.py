"""Pages: one's own account."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from bot.team import operators, sign_ins, throttle
from bot.team.operators import OperatorError
from bot.team.passwords import PasswordError

pages = Blueprint("account", __name__)


@pages.get("/account")
def index() -> ResponseReturnValue:
    return render_template("dashboard/account.html", me=access.operator(), problems={})


@pages.post("/account/password")
def change_password() -> ResponseReturnValue:
    """Every session of the operator ends; this browser gets a new one."""
    me, rt = access.operator(), runtime.current()
    current, new, again = (request.form.get(name, "") for name in ("current", "new", "again"))
    if throttle.seconds_to_wait(rt.redis, me.email, f"account {request.remote_addr}"):
        return _refuse("current", "Too many tries: wait a quarter of an hour.", 429)
    if new != again:
        return _refuse("again", "This is not the same as the new password above.")
    try:
        with rt.transaction() as tx:
            operators.change_own_password(tx, me.id, current, new)
            secret = sign_ins.begin(tx, me.id)
    except PasswordError as error:
        return _refuse("new", str(error))
    except OperatorError as error:
        return _refuse("current", str(error))
    throttle.forget(rt.redis, me.email, f"account {request.remote_addr}")
    access.remember(secret)
    flash("The password is changed, and every other browser that was signed in as you is signed out.")
    return redirect(url_for("account.index"), 303)


def _refuse(field: str, why: str, status: int = 422) -> ResponseReturnValue:
    return render_template("dashboard/account.html", me=access.operator(), problems={field: why}), status
