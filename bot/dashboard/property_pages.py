"""Pages: the Properties List, which of them the listing shows, and new ones."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from bot.language import _, translated
from bot.people import prevalence, properties
from bot.people.attributes import FORMATS
from bot.people.properties import PropertyError
from bot.team import permissions

pages = Blueprint("properties", __name__)


@pages.get("/people/properties")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/people/properties")
def create() -> ResponseReturnValue:
    name, kind = request.form.get("name", "").strip().removeprefix("user."), request.form.get("type", "")
    try:
        with runtime.current().transaction() as tx:
            properties.make(tx, access.environment(), name, kind, access.operator().id)
    except PropertyError as error:
        return _page(problem=str(error)), 422
    flash(_("The property %(name)s is made.", name=name))
    return redirect(url_for("properties.index"), 303)


@pages.post("/people/properties/show")
def show() -> ResponseReturnValue:
    """See in Table, for everybody who looks at this environment's listing."""
    name, is_shown = request.form.get("name", ""), request.form.get("shown") == "yes"
    try:
        with runtime.current().transaction() as tx:
            properties.show(tx, access.environment(), name, is_shown)
    except PropertyError as error:
        flash(str(error), "danger")
    else:
        column = (
            _("%(name)s has a column in the listing.")
            if is_shown
            else _("%(name)s has no column any more in the listing.")
        )
        flash(column % {"name": name})
    return redirect(url_for("properties.index"), 303)


def _page(problem: str | None = None) -> str:
    environment = access.environment()
    with runtime.current().transaction() as tx:
        listed = properties.every(tx, environment)
        measured = prevalence.measure(tx, environment)
    types = [(kind.value, translated(each.label)) for kind, each in FORMATS.items()]
    may_change = permissions.may(access.operator().role, "properties.create")
    shown = {"listed": listed, "measured": measured, "problem": problem, "formats": FORMATS, "types": types}
    return render_template("dashboard/properties.html", may_change=may_change, **shown)
