"""Page: what the broadcasts of an environment have to keep to; for admins."""

from datetime import time
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from bot.language import _
from bot.messages import policy
from bot.messages.policy import DEFAULT, FIELDS, Policy, PolicyError
from bot.team import audit
from bot.team.audit import Action

pages = Blueprint("policy", __name__)

_CLOCKS = frozenset({"quiet_from", "quiet_to"})


@pages.get("/broadcasts/policy")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/broadcasts/policy")
def change() -> ResponseReturnValue:
    try:
        wanted = Policy(**{name: _read(name, request.form.get(name, "").strip()) for name in FIELDS})
        with runtime.current().transaction() as tx:
            before = _told(policy.of(tx, access.environment()))
            policy.change(tx, access.environment(), wanted, access.operator().id)
            subject = f"sending policy of {access.environment()}"
            audit.note(tx, access.by(), Action.POLICY_CHANGED, subject, before=before, after=_told(wanted))
    except PolicyError as error:
        return _page(str(error).splitlines()), 422
    flash(
        _(
            "Kept for %(environment)s: it holds from the next launch on, and at once for what is sent.",
            environment=access.environment().title(),
        )
    )
    return redirect(url_for("policy.index"), 303)


def _told(kept: Policy) -> dict[str, Any]:
    """As JSON has it."""
    shown = {name: getattr(kept, name) for name in FIELDS}
    return {name: f"{value:%H:%M}" if isinstance(value, time) else value for name, value in shown.items()}


def _read(name: str, text: str) -> Any:  # noqa: ANN401 (a number, a time, or nothing)
    """What is no whole number is none that fits, so that all problems are told at once by the rule itself."""
    if not text:
        return None
    if name in _CLOCKS:
        try:
            return time.fromisoformat(text).replace(tzinfo=None)
        except ValueError:
            raise PolicyError(_("%(words)s is no time of day: write it like 21:00.", words=text[:20])) from None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1


def _page(problems: list[str] | None = None) -> str:
    with runtime.current().transaction() as tx:
        kept = policy.of(tx, access.environment())
    shown = {name: getattr(kept, name) for name in FIELDS}
    for name in _CLOCKS:
        shown[name] = shown[name] and f"{shown[name]:%H:%M}"
    given = request.form if problems else shown
    return render_template("broadcasts/policy.html", given=given, problems=problems or [], default=DEFAULT)
