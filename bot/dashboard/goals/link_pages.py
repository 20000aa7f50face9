"""Pages: the links that are tracked; and the address by which people follow one."""

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from bot.goals import links
from bot.goals.links import LinkError
from bot.language import _
from bot.models.goals import TrackedLink
from bot.people.links import PATH

pages = Blueprint("links", __name__)


@pages.get(f"{PATH}<token>")
def follow(token: str) -> ResponseReturnValue:
    """To where the team said, and nowhere else. A HEAD is answered alike and never counts."""
    with runtime.current().transaction() as tx:
        target = links.where(tx, token) if request.method == "HEAD" else links.follow(tx, token, dict(request.headers))
    if target is None:
        abort(404)
    answer: Response = redirect(target, 302)  # type: ignore[assignment]  # of Flask's own kind
    answer.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"})
    return answer


@pages.get("/goals/links")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/goals/links")
def add() -> ResponseReturnValue:
    given = request.form
    try:
        with runtime.current().transaction() as tx:
            links.create(tx, access.environment(), given.get("name"), given.get("target"), access.by())
    except LinkError as error:
        return _page(error), 422
    flash(_("The link is there: write it into a text as its placeholder."))
    return redirect(url_for("links.index"), 303)


@pages.post("/goals/links/<int:link_id>")
def change(link_id: int) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            link = tx.get(TrackedLink, min(link_id, 2**63 - 1)) or abort(404)
            access.show_environment(link.environment)
            links.lead_to(tx, link, request.form.get("target"), access.by())
    except LinkError as error:
        flash(str(error), "danger")
    else:
        flash(_("Saved: what was sent already leads there, too."))
    return redirect(url_for("links.index"), 303)


def _page(error: LinkError | None = None) -> str:
    with runtime.current().transaction() as tx:
        return render_template(
            "dashboard/goals/links.html",
            listed=links.counted(tx, access.environment()),
            problems={error.field: str(error)} if error else {},
            given=request.form,
        )
