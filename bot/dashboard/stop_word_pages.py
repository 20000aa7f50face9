"""Page: the words by which people stop marketing or have it again, language by language, and what they are answered."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _, later, spoken
from bot.models.words import StopMeaning
from bot.people import stop_words
from bot.people.stop_words import StopWordError
from bot.team import permissions

pages = Blueprint("stop_words", __name__)

LANGUAGES = {
    "en": later("English"),
    "ar": later("Arabic"),
    "de": later("German"),
    "es": later("Spanish"),
    "fr": later("French"),
    "hi": later("Hindi"),
    "id": later("Indonesian"),
    "it": later("Italian"),
    "nl": later("Dutch"),
    "pt": later("Portuguese"),
    "ru": later("Russian"),
    "sw": later("Swahili"),
    "tr": later("Turkish"),
    "zh": later("Chinese"),
}


@pages.get("/people/stop-words")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/people/stop-words")
def add() -> ResponseReturnValue:
    form, operator = request.form, access.operator()

    def keep(tx: Session) -> None:
        phrase, meaning = form.get("phrase", ""), form.get("meaning", "")
        stop_words.add(tx, access.environment(), form.get("language", ""), phrase, meaning, operator.id)

    return _do(keep, _("It counts from now on."))


@pages.post("/people/stop-words/off")
def switch_off() -> ResponseReturnValue:
    phrase, operator = request.form.get("phrase", ""), access.operator()
    return _do(
        lambda tx: stop_words.switch_off(tx, access.environment(), phrase, operator.id),
        _("“%(phrase)s” means nothing any more: who writes it is answered as anybody.", phrase=phrase),
    )


@pages.post("/people/stop-words/on")
def restore() -> ResponseReturnValue:
    phrase = request.form.get("phrase", "")
    return _do(
        lambda tx: stop_words.restore(tx, access.environment(), phrase), _("“%(phrase)s” counts again.", phrase=phrase)
    )


@pages.post("/people/stop-words/replies")
def reply() -> ResponseReturnValue:
    form = request.form

    def keep(tx: Session) -> None:
        language, meaning = form.get("language", ""), form.get("meaning", "")
        stop_words.set_reply(tx, access.environment(), language, meaning, form.get("text", ""))

    return _do(keep, _("Saved: it is what people are answered from now on."))


def _do(work: Callable[[Session], None], done: str) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            work(tx)
    except StopWordError as error:
        return _page(str(error)), 422
    flash(done)
    return redirect(url_for("stop_words.index"), 303)


def _page(refused: str | None = None) -> str:
    with runtime.current().transaction() as tx:
        words = stop_words.every(tx, access.environment())
        replies = stop_words.replies(tx, access.environment())
    return render_template(
        "dashboard/stop_words.html",
        languages=spoken(LANGUAGES),
        words={language: [word for word in words if word.language == language] for language in LANGUAGES},
        replies=replies,
        meanings=((StopMeaning.STOP, _("Stop")), (StopMeaning.RESUME, _("Have it again"))),
        refused=refused,
        given=request.form if refused else {},
        may_change=permissions.may(access.operator().role, "stop_words.add"),
    )
