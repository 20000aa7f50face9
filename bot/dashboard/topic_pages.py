"""Page: what people can want to hear about or not; everybody sees it, marketers keep it."""

from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _
from bot.models.preference import Topic
from bot.people import topics
from bot.people.topics import TopicError
from bot.team import permissions

pages = Blueprint("topics", __name__)


@pages.get("/people/topics")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/people/topics")
def add() -> ResponseReturnValue:
    form = request.form

    def make(tx: Session) -> None:
        topics.create(tx, access.environment(), form.get("name", ""), form.get("description"))

    return _do(make, _("The topic is there: broadcasts can be about it, and profiles ask for it."))


@pages.post("/people/topics/<int:topic_id>")
def describe(topic_id: int) -> ResponseReturnValue:
    text = request.form.get("description")
    return _do(lambda tx: topics.describe(tx, _found(tx, topic_id).id, text), _("Saved."))


@pages.post("/people/topics/<int:topic_id>/archive")
def archive(topic_id: int) -> ResponseReturnValue:
    return _do(lambda tx: topics.archive(tx, _found(tx, topic_id).id), _("Archived: what people want of it is kept."))


@pages.post("/people/topics/<int:topic_id>/restore")
def restore(topic_id: int) -> ResponseReturnValue:
    return _do(lambda tx: topics.restore(tx, _found(tx, topic_id).id), _("Broadcasts can be about it again."))


def _do(work: Callable[[Session], None], done: str) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            work(tx)
    except TopicError as error:
        return _page(str(error)), 422
    flash(done)
    return redirect(url_for("topics.index"), 303)


def _found(session: Session, topic_id: int) -> Topic:
    found = session.get(Topic, topic_id) or abort(404)
    access.show_environment(found.environment)
    return found


def _page(refused: str | None = None) -> str:
    with runtime.current().transaction() as tx:
        listed = topics.counted(tx, access.environment())
    return render_template(
        "dashboard/topics.html",
        listed=listed,
        refused=refused,
        given=request.form if refused else {},
        may_change=permissions.may(access.operator().role, "topics.add"),
    )
