"""Pages: what each role may do, and sets of permissions of the team's own."""

from collections.abc import Sequence

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _
from bot.models.team import PermissionSet
from bot.team import audit, permission_sets, rights
from bot.team.audit import Action
from bot.team.permission_sets import PermissionSetError

pages = Blueprint("sets", __name__)


@pages.get("/team/permissions")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/team/permissions")
def add() -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            made = permission_sets.add(tx, request.form.get("name", ""), _ticked())
            audit.note(tx, access.by(), Action.SET_MADE, f"permission set {made.id}", after=_told(made))
    except PermissionSetError as error:
        return _page(refused=str(error)), 422
    flash(_("%(name)s is made: give it to somebody under Members.", name=made.name))
    return redirect(url_for("sets.index"), 303)


@pages.post("/team/permissions/<int:set_id>")
def change(set_id: int) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            found = _known(tx, set_id)
            before = _told(found)
            _refuse_more(found.permissions)
            permission_sets.change(tx, found, request.form.get("name", ""), _ticked())
            audit.note(
                tx, access.by(), Action.SET_CHANGED, f"permission set {set_id}", before=before, after=_told(found)
            )
    except PermissionSetError as error:
        return _page(refused=str(error), changed=set_id), 422
    flash(_("Saved: it holds from everybody's next click on."))
    return redirect(url_for("sets.index"), 303)


@pages.post("/team/permissions/<int:set_id>/remove")
def remove(set_id: int) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            found = _known(tx, set_id)
            before = _told(found)
            _refuse_more(found.permissions)
            permission_sets.remove(tx, found)
            audit.note(tx, access.by(), Action.SET_REMOVED, f"permission set {set_id}", before=before)
    except PermissionSetError as error:
        return _page(refused=str(error)), 409
    flash(_("The set is gone."))
    return redirect(url_for("sets.index"), 303)


def _ticked() -> list[str]:
    asked = request.form.getlist("permission")
    _refuse_more(asked)
    return asked


def _refuse_more(asked: Sequence[str]) -> None:
    """Else a set with the team in it would be a way to everything."""
    if more := rights.known(asked) - access.operator().role.permissions:
        raise PermissionSetError(
            _("You may not do this yourself: %(more)s. Ask an admin.", more=", ".join(sorted(more)))
        )


def _known(session: Session, set_id: int) -> PermissionSet:
    return session.get(PermissionSet, set_id, with_for_update=True) or abort(404)


def _told(found: PermissionSet) -> dict[str, object]:
    return {"name": found.name, "permissions": list(found.permissions)}


def _page(*, refused: str | None = None, changed: int | None = None) -> str:
    with runtime.current().transaction() as tx:
        return render_template(
            "dashboard/permission_sets.html",
            sets=permission_sets.every(tx),
            roles=[(role.value, granted) for role, granted in rights.ROLES.items()],
            said=list(rights.SAID.items()),
            form=request.form if refused else None,
            changed=changed,
            refused=refused,
        )
