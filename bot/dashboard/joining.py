"""Pages behind links that an admin handed over: join the team, or choose a new password."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _, later, translated
from bot.models.team import Invitation, Operator
from bot.team import audit, invitations, resets, single_sign_on, throttle
from bot.team.audit import Action, By
from bot.team.operators import OperatorError
from bot.team.passwords import PasswordError

pages = Blueprint("joining", __name__)

_APART = later("The two passwords are not the same.")


@pages.get("/join/<secret>")
def show(secret: str) -> ResponseReturnValue:
    """Looking uses nothing up: chat programs open links to draw previews of them."""
    email = _email(invitations.find, secret)
    if email and not _takes_passwords():
        flash(_("You are invited as %(email)s: sign in with that address, and you have joined.", email=email))
        return redirect(url_for("sign_in.form"), 303)
    return _join(email) if email else (_gone(invitations.GONE), 410)


@pages.post("/join/<secret>")
def accept(secret: str) -> ResponseReturnValue:
    """They sign in afterwards like everybody, so that a link alone opens nothing."""
    name, new, again = (request.form.get(field, "") for field in ("name", "password", "again"))
    if _too_many():
        return _gone(_("Too many tries: wait a quarter of an hour.")), 429
    email = _email(invitations.find, secret)
    if email is None or not _takes_passwords():
        return _gone(invitations.GONE), 410
    if new != again:
        return _join(email, translated(_APART)), 422
    try:
        with runtime.current().transaction() as tx:
            joined = invitations.accept(tx, secret, name, new)
            by = By(operator_id=joined.id, address=request.remote_addr)
            audit.note(tx, by, Action.JOINED, f"operator {joined.id}", after={"email": joined.email})
    except (OperatorError, PasswordError) as error:
        return _join(email, str(error)), 422
    flash(_("Welcome. Sign in with the password you chose."))
    return redirect(url_for("sign_in.form"), 303)


@pages.get("/password/<secret>")
def reset(secret: str) -> ResponseReturnValue:
    email = _email(resets.find, secret)
    return _choose(email) if email else (_gone(resets.GONE), 410)


@pages.post("/password/<secret>")
def choose(secret: str) -> ResponseReturnValue:
    new, again = (request.form.get(field, "") for field in ("password", "again"))
    if _too_many():
        return _gone(_("Too many tries: wait a quarter of an hour.")), 429
    email = _email(resets.find, secret)
    if email is None:
        return _gone(resets.GONE), 410
    if new != again:
        return _choose(email, translated(_APART)), 422
    try:
        with runtime.current().transaction() as tx:
            changed = resets.use(tx, secret, new)
            by = By(operator_id=changed.id, address=request.remote_addr)
            audit.note(tx, by, Action.PASSWORD_CHANGED, f"operator {changed.id}", after={"by": "link"})
    except (OperatorError, PasswordError) as error:
        return _choose(email, str(error)), 422
    access.forget()
    flash(_("The password is changed, and every browser is signed out. Sign in with the new one."))
    return redirect(url_for("sign_in.form"), 303)


def _email(find: Callable[[Session, str], Invitation | Operator | None], secret: str) -> str | None:
    """Whom the link is for, if it still leads anywhere."""
    with runtime.current().transaction() as tx:
        found = find(tx, secret)
        return found.email if found is not None else None


def _takes_passwords() -> bool:
    rt = runtime.current()
    with rt.transaction() as tx:
        return single_sign_on.takes_passwords(tx, rt.settings)


def _too_many() -> bool:
    """By the address alone: there is no account to count by, and hashing a password costs much."""
    return throttle.seconds_to_wait(runtime.current().redis, "link", request.remote_addr or "") > 0


def _join(email: str, refused: str | None = None) -> str:
    given = request.form.get("name", "")
    return render_template("dashboard/join.html", email=email, name=given, refused=refused)


def _choose(email: str, refused: str | None = None) -> str:
    return render_template("dashboard/password.html", email=email, refused=refused)


def _gone(why: str) -> str:
    return render_template("dashboard/link_gone.html", why=translated(why))
