"""Page: the answers the team has ready for the composer's slash."""

from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.conversations import canned
from bot.conversations.canned import CannedError
from bot.dashboard import access
from bot.language import _
from bot.models.inbox import CannedAnswer

pages = Blueprint("canned", __name__)


@pages.get("/inbox/answers")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/inbox/answers")
def create() -> ResponseReturnValue:
    shortcut, text = request.form.get("shortcut", ""), request.form.get("text", "")

    def make(tx: Session) -> None:
        canned.create(tx, access.environment(), access.operator().id, shortcut, text)

    return _do(make, _("It is at hand: write / in a reply."))


@pages.post("/inbox/answers/<int:answer_id>")
def change(answer_id: int) -> ResponseReturnValue:
    shortcut, text = request.form.get("shortcut", ""), request.form.get("text", "")

    def edit(tx: Session) -> None:
        canned.change(tx, _found(tx, answer_id), access.operator().id, shortcut, text)

    return _do(edit, _("Saved."))


@pages.post("/inbox/answers/<int:answer_id>/archive")
def archive(answer_id: int) -> ResponseReturnValue:
    return _do(lambda tx: canned.archive(_found(tx, answer_id)), _("Archived: it is offered no more."))


@pages.post("/inbox/answers/<int:answer_id>/restore")
def restore(answer_id: int) -> ResponseReturnValue:
    return _do(lambda tx: canned.restore(tx, _found(tx, answer_id)), _("It is offered again."))


def _do(work: Callable[[Session], None], done: str) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            work(tx)
    except CannedError as error:
        return _page(str(error)), 422
    flash(done)
    return redirect(url_for("canned.index"), 303)


def _found(session: Session, answer_id: int) -> CannedAnswer:
    found = session.get(CannedAnswer, answer_id) or abort(404)
    access.show_environment(found.environment)
    return found


def _page(refused: str | None = None) -> str:
    with runtime.current().transaction() as tx:
        listed = canned.every(tx, access.environment())
        archived = canned.every(tx, access.environment(), archived=True)
    given = request.form if refused else {}
    return render_template("dashboard/canned.html", listed=listed, archived=archived, refused=refused, given=given)
