"""Pages: sign in by the team's identity provider: out to it, and back with its answer."""

import time
from dataclasses import asdict
from hmac import compare_digest
from typing import Any

import structlog
from flask import Blueprint, abort, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, sign_in
from bot.dashboard.headers import request_id
from bot.language import _, later, translated
from bot.settings import Settings
from bot.team import audit, single_sign_on, throttle
from bot.team.audit import Action, By
from bot.team.identity import IssuerError
from bot.team.operators import OperatorError
from bot.team.single_sign_on import Entry

# The library behind `issuer` takes half a second to load: only those who use it wait for that, and once.
# ruff: noqa: PLC0415

pages = Blueprint("single_sign_on", __name__)
log = structlog.get_logger()

WITHIN_S = 10 * 60
"""So long the provider may take, its own second factor included."""
_ERRAND = "errand"
LOST = later("That took too long, or it was begun in another browser or at another address: start again here.")


@pages.get("/sign-in/oidc")
def begin() -> ResponseReturnValue:
    """A link and no form, as our Content-Security-Policy lets no form lead off the site."""
    from bot.team import issuer

    settings, wanted = _settings(), request.args.get("next", "")
    if access.signed_in() is not None:
        return redirect(sign_in.local_path(wanted), 303)
    if answer := _slow_down():
        return answer
    errand = issuer.Errand.new()
    try:
        address = issuer.address(settings, errand, _back())
    except IssuerError as error:
        return _refuse(str(error), error.reason)
    session[_ERRAND] = {**asdict(errand), "next": wanted[:1000], "at": int(time.time())}
    return redirect(address, 303)


@pages.get("/sign-in/oidc/back")
def finish() -> ResponseReturnValue:
    """An errand is run once: whatever comes of it, this browser has forgotten it."""
    from bot.team import issuer

    settings, kept = _settings(), _errand()
    if kept is None:
        return _refuse(translated(LOST), "state", 400)
    if "code" not in request.args:
        return _refuse(_("The provider did not let you in: start again, or ask an admin there."), "declined")
    if answer := _slow_down():
        return answer
    errand = issuer.Errand(kept["state"], kept["nonce"], kept["verifier"])
    try:
        identity = issuer.identify(settings, errand, _back(), request.args["code"], request.args.get("iss"))
        with runtime.current().transaction() as tx:
            entry = single_sign_on.enter(tx, settings, identity)
            _note(tx, entry)
            secret = sign_in.admit(tx, entry.operator.id, "single sign-on", vouched=True)
    except IssuerError as error:
        return _refuse(str(error), error.reason)
    except OperatorError as error:
        return _refuse(str(error), "team")
    throttle.forget_provider(runtime.current().redis, request.remote_addr or "")
    access.remember(secret)
    return redirect(sign_in.local_path(kept["next"]), 303)


def _note(tx: Session, entry: Entry) -> None:
    now, who = {"email": entry.operator.email}, f"operator {entry.operator.id}"
    by = By(operator_id=entry.operator.id, address=request.remote_addr)
    if entry.joined:
        audit.note(tx, by, Action.JOINED, who, after=now)
    if entry.former_email:
        audit.note(tx, by, Action.EMAIL_CHANGED, who, before={"email": entry.former_email}, after=now)


def _settings() -> Settings:
    settings = runtime.current().settings
    if not single_sign_on.is_on(settings):
        abort(404)
    return settings


def _back() -> str:
    """Of the configured address, as the provider knows it: what a request calls itself could be an attacker's."""
    return runtime.current().settings.base_url + url_for("single_sign_on.finish")


def _errand() -> dict[str, Any] | None:
    """What this browser was sent out with, if it is what came back."""
    kept: dict[str, Any] | None = session.pop(_ERRAND, None)
    if kept is None or kept["at"] < time.time() - WITHIN_S:
        return None
    state = request.args.get("state", "")
    return kept if compare_digest(kept["state"].encode(), state.encode(errors="replace")) else None


def _slow_down() -> ResponseReturnValue | None:
    wait_s = throttle.seconds_to_wait_for_provider(runtime.current().redis, request.remote_addr or "")
    return (sign_in.page(sign_in.too_many(wait_s)), 429, {"Retry-After": str(wait_s)}) if wait_s else None


def _refuse(why: str, reason: str, status: int = 403) -> ResponseReturnValue:
    log.warning("single_sign_on.refused", reason=reason, request_id=request_id())
    return sign_in.page(why), status
