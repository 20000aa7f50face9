"""Pages: sign in and out."""

import re

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from bot.team import operators, sign_ins, throttle

pages = Blueprint("sign_in", __name__)

REFUSED = "That e-mail and password do not belong together."
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


@pages.get("/sign-in")
def form() -> ResponseReturnValue:
    if access.signed_in() is not None:
        return redirect(local_path(request.args.get("next")), 303)
    return render_template("dashboard/sign_in.html", email="", refused=None)


@pages.post("/sign-in")
def submit() -> ResponseReturnValue:
    rt = runtime.current()
    email, password = request.form.get("email", "")[:320], request.form.get("password", "")
    wait_s = throttle.seconds_to_wait(rt.redis, email, request.remote_addr or "")
    if wait_s:
        text = f"Too many tries: wait {wait_s // 60 + 1} minutes, then try again."
        return render_template("dashboard/sign_in.html", email=email, refused=text), 429, {"Retry-After": str(wait_s)}
    with rt.transaction() as tx:
        operator = operators.authenticate(tx, email, password)
        if operator is not None:
            before = access.forget()
            if before is not None:
                sign_ins.end(tx, before)
            secret = sign_ins.begin(tx, operator.id)
    if operator is None:
        return render_template("dashboard/sign_in.html", email=email, refused=REFUSED), 422
    throttle.forget(rt.redis, email, request.remote_addr or "")
    access.remember(secret)
    return redirect(local_path(request.args.get("next")), 303)


@pages.post("/sign-out")
def leave() -> ResponseReturnValue:
    secret = access.forget()
    if secret is None:
        abort(401)
    with runtime.current().transaction() as tx:
        sign_ins.end(tx, secret)
    flash("You are signed out.")
    return redirect(url_for("sign_in.form"), 303)


def local_path(wanted: str | None) -> str:
    """Where to go after the sign-in: `wanted` if it is a path of this site, else the start page."""
    return wanted if wanted and _LOCAL.fullmatch(wanted) else url_for("home.index")
