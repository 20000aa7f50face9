"""Pages: sign in, with a code of the second factor where there is one, and out."""

import re
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _, later, translated
from bot.team import audit, factor, operators, sign_ins, single_sign_on, throttle
from bot.team.audit import Action, By

pages = Blueprint("sign_in", __name__)

REFUSED = later("That e-mail and password do not belong together.")
WRONG_CODE = later("That code is wrong, was used already, or is older than a minute: type the one your app shows now.")
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


@pages.get("/sign-in")
def form() -> ResponseReturnValue:
    if access.signed_in() is not None:
        return redirect(local_path(request.args.get("next")), 303)
    return page()


@pages.post("/sign-in")
def submit() -> ResponseReturnValue:
    rt = runtime.current()
    email, password = request.form.get("email", "")[:320], request.form.get("password", "")
    wait_s = throttle.seconds_to_wait(rt.redis, email, request.remote_addr or "")
    if wait_s:
        return page(too_many(wait_s), email), 429, {"Retry-After": str(wait_s)}
    with rt.transaction() as tx:
        takes_passwords = single_sign_on.takes_passwords(tx, rt.settings)
        operator = operators.authenticate(tx, email, password) if takes_passwords else None
        if operator is not None:
            awaits = operator.sealed_factor is not None
            secret = _half_way(tx, operator.id) if awaits else admit(tx, operator.id, "password")
    if not takes_passwords:
        return page(_("Passwords let nobody in here: sign in by the button.")), 403
    if operator is None:
        return page(translated(REFUSED), email), 422
    throttle.forget(rt.redis, email, request.remote_addr or "")
    if awaits:
        access.remember_half(secret)
        return redirect(url_for("sign_in.ask_code", next=request.args.get("next")), 303)
    access.remember(secret)
    return redirect(local_path(request.args.get("next")), 303)


@pages.get("/sign-in/code")
def ask_code() -> ResponseReturnValue:
    if access.half() is None:
        return redirect(url_for("sign_in.form", next=request.args.get("next")), 303)
    return render_template("dashboard/sign_in_code.html", refused=None)


@pages.post("/sign-in/code")
def give_code() -> ResponseReturnValue:
    """The half session makes way for a whole one with a secret of its own."""
    rt, half = runtime.current(), access.half()
    with rt.transaction() as tx:
        operator = sign_ins.find_half(tx, half) if half is not None else None
    if operator is None or half is None:
        flash(_("That took too long: sign in again."))
        return redirect(url_for("sign_in.form", next=request.args.get("next")), 303)
    wait_s = throttle.seconds_to_wait_for_code(rt.redis, operator.id)
    if wait_s:
        text = too_many(wait_s)
        return render_template("dashboard/sign_in_code.html", refused=text), 429, {"Retry-After": str(wait_s)}
    with rt.transaction() as tx:
        passed = factor.passes(tx, rt.settings, operator.id, request.form.get("code", ""))
        if passed:
            sign_ins.end(tx, half)
            secret = admit(tx, operator.id, "password and code")
    if not passed:
        return render_template("dashboard/sign_in_code.html", refused=translated(WRONG_CODE)), 422
    throttle.forget_codes(rt.redis, operator.id)
    access.remember(secret)
    return redirect(local_path(request.args.get("next")), 303)


@pages.post("/sign-out")
def leave() -> ResponseReturnValue:
    secret = access.forget()
    if secret is None:
        abort(401)
    with runtime.current().transaction() as tx:
        sign_ins.end(tx, secret)
    flash(_("You are signed out."))
    return redirect(url_for("sign_in.form"), 303)


def page(refused: str | None = None, email: str = "") -> str:
    rt = runtime.current()
    shown: dict[str, Any] = {"button": None, "takes_passwords": True}
    if single_sign_on.is_on(rt.settings):
        with rt.transaction() as tx:
            takes_passwords = single_sign_on.takes_passwords(tx, rt.settings)
        shown = {"button": rt.settings.oidc_button, "takes_passwords": takes_passwords}
    return render_template("dashboard/sign_in.html", email=email, refused=refused, **shown)


def admit(session: Session, operator_id: int, how: str, *, vouched: bool = False) -> str:
    """Sign in, in the place of whoever this browser was before; returns the secret to remember."""
    _leave_before(session)
    by = By(operator_id=operator_id, address=request.remote_addr)
    audit.note(session, by, Action.SIGNED_IN, f"operator {operator_id}", after={"by": how})
    return sign_ins.begin(session, operator_id, place=access.place(), vouched=vouched)


def local_path(wanted: str | None) -> str:
    """Where to go after the sign-in: `wanted` if it is a path of this site, else the start page."""
    return wanted if wanted and _LOCAL.fullmatch(wanted) else url_for("home.index")


def too_many(wait_s: int) -> str:
    return _("Too many tries: wait %(minutes)s minutes, then try again.", minutes=wait_s // 60 + 1)


def _half_way(session: Session, operator_id: int) -> str:
    _leave_before(session)
    return sign_ins.begin(session, operator_id, place=access.place(), awaits_factor=True)


def _leave_before(session: Session) -> None:
    before = access.forget()
    if before is not None:
        sign_ins.end(session, before)
