"""Page: the labels of an environment, made, renamed, archived and restored."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.conversations import labels
from bot.conversations.labels import COLOURS, LabelError
from bot.dashboard import access
from bot.dashboard.inbox.door import pages
from bot.models.inbox import Label


@pages.get("/inbox/labels")
def tags() -> ResponseReturnValue:
    return _page()


@pages.post("/inbox/labels")
def make_tag() -> ResponseReturnValue:
    name, colour = request.form.get("name", ""), request.form.get("colour", COLOURS[0])
    try:
        with runtime.current().transaction() as tx:
            labels.make(tx, access.environment(), name, colour)
    except LabelError as error:
        return _page(name=name, problem=str(error)), 422
    return redirect(url_for("inbox.tags"), 303)


@pages.post("/inbox/labels/<int:label_id>")
def change_tag(label_id: int) -> ResponseReturnValue:
    """A new name and colour; or with `archive` or `restore`, that."""
    form = request.form
    try:
        with runtime.current().transaction() as tx:
            label = tx.get(Label, label_id) or abort(404)
            access.show_environment(label.environment)
            if "archive" in form or "restore" in form:
                labels.archive(label, is_archived="archive" in form)
            else:
                labels.change(tx, label, form.get("name", ""), form.get("colour", ""))
    except LabelError as error:
        flash(str(error), "danger")
    return redirect(url_for("inbox.tags"), 303)


def _page(*, name: str = "", problem: str | None = None) -> str:
    with runtime.current().transaction() as tx:
        return render_template(
            "dashboard/inbox_labels.html",
            labels=labels.every(tx, access.environment()),
            colours=COLOURS,
            name=name,
            problem=problem,
        )
