"""Pages: API tokens: what each may do, until when, when it was last used; and a new secret without an outage."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, times
from bot.language import _, later, translated
from bot.models.team import ApiToken
from bot.models.words import Environment
from bot.team import audit, permissions, rights, tokens
from bot.team.audit import Action
from bot.team.tokens import TokenError

pages = Blueprint("tokens", __name__)

OVERLAPS = (
    (0, later("stops at once")),
    (1, later("one hour longer")),
    (24, later("a day longer")),
    (168, later("a week longer")),
)
"""Hours that the secret before a rotation is taken, in words."""


@pages.get("/team/tokens")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/team/tokens")
def create() -> ResponseReturnValue:
    form = request.form
    try:
        with runtime.current().transaction() as tx:
            made, secret = tokens.create(
                tx, form.get("environment", ""), form.get("name", "")[:80], scopes=_scopes(), expires_at=_expiry()
            )
            audit.note(tx, access.by(), Action.TOKEN_MADE, f"token {made.id}", after=_terms(made))
            name = made.name
    except TokenError as error:
        return _page(refused=str(error)), 422
    return _page(given=(name, secret))


@pages.post("/team/tokens/<int:token_id>/rotate")
def rotate(token_id: int) -> ResponseReturnValue:
    hours = request.form.get("hours", "24")
    try:
        with runtime.current().transaction() as tx:
            _known(tx, token_id)
            overlap = timedelta(hours=int(hours) if hours in {str(known) for known, words in OVERLAPS} else 24)
            made, secret = tokens.rotate(tx, token_id, overlap)
            until = made.former_until and made.former_until.isoformat()
            audit.note(tx, access.by(), Action.TOKEN_ROTATED, f"token {token_id}", after={"former_until": until})
            name = made.name
    except TokenError as error:
        return _page(refused=str(error)), 409
    return _page(given=(name, secret))


@pages.post("/team/tokens/<int:token_id>")
def change(token_id: int) -> ResponseReturnValue:
    def work(tx: Session, found: ApiToken) -> None:
        before = _terms(found)
        tokens.change(tx, token_id, _scopes(), _expiry())
        audit.note(tx, access.by(), Action.TOKEN_CHANGED, f"token {token_id}", before=before, after=_terms(found))

    return _change(token_id, work, _("Saved: it holds from the next request on."))


@pages.post("/team/tokens/<int:token_id>/revoke")
def revoke(token_id: int) -> ResponseReturnValue:
    def work(tx: Session, found: ApiToken) -> None:
        tokens.revoke(tx, found.environment, found.name)
        audit.note(tx, access.by(), Action.TOKEN_REVOKED, f"token {token_id}", before=_terms(found))

    return _change(token_id, work, _("Revoked: it is refused from now on."))


def _change(token_id: int, work: Callable[[Session, ApiToken], None], done: str) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            work(tx, _known(tx, token_id))
    except TokenError as error:
        return _page(refused=str(error)), 422
    flash(done)
    return redirect(url_for("tokens.index"), 303)


def _known(session: Session, token_id: int) -> ApiToken:
    """Nobody gets hold of a token that may do more than they may: its new secret would be a way to it."""
    try:
        found = tokens.by_id(session, token_id)
    except TokenError:
        abort(404)
    _refuse_more(found.scopes)
    return found


def _scopes() -> list[str] | None:
    asked = None if request.form.get("all") == "yes" else request.form.getlist("scope")
    _refuse_more(asked)
    return asked


def _refuse_more(scopes: list[str] | None) -> None:
    wanted = frozenset(permissions.SCOPES) if scopes is None else rights.known(scopes)
    if more := wanted - access.operator().role.permissions:
        raise TokenError(_("That token may do what you may not: %(more)s. Ask an admin.", more=", ".join(sorted(more))))


def _expiry() -> datetime | None:
    """The end of the day that was chosen, on the clock of the workspace."""
    day = request.form.get("expires", "").strip()
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time.max, times.zone()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise TokenError(_("The day must be one of the calendar, such as 2027-03-31.")) from None


def _terms(token: ApiToken) -> dict[str, Any]:
    until = token.expires_at and token.expires_at.isoformat()
    return {"name": token.name, "environment": token.environment, "scopes": token.scopes or "all", "expires_at": until}


def _page(*, refused: str | None = None, given: tuple[str, str] | None = None) -> str:
    with runtime.current().transaction() as tx:
        return render_template(
            "dashboard/tokens.html",
            tokens=tokens.every(tx),
            scopes=[(scope.value, rights.SAID[scope]) for scope in permissions.SCOPES],
            kinds=[(each.value, each.title()) for each in Environment],
            overlaps=[(hours, translated(words)) for hours, words in OVERLAPS],
            now=datetime.now(UTC),
            zone=times.zone(),
            form=request.form if refused else {},
            refused=refused,
            given=given,
        )
