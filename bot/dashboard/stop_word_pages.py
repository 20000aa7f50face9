"""Page: the words by which people stop marketing or have it again, language by language, and what they are answered."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.models.words import StopMeaning
from bot.people import stop_words
from bot.people.stop_words import StopWordError
from bot.team import permissions

pages = Blueprint("stop_words", __name__)

LANGUAGES = {
    "en": "English",
    "ar": "Arabic",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "id": "Indonesian",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ru": "Russian",
    "sw": "Swahili",
    "tr": "Turkish",
    "zh": "Chinese",
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

    return _do(keep, "It counts from now on.")


@pages.post("/people/stop-words/off")
def switch_off() -> ResponseReturnValue:
    phrase, operator = request.form.get("phrase", ""), access.operator()
    return _do(
        lambda tx: stop_words.switch_off(tx, access.environment(), phrase, operator.id),
        f"“{phrase}” means nothing any more: who writes it is answered as anybody.",
    )


@pages.post("/people/stop-words/on")
def restore() -> ResponseReturnValue:
    phrase = request.form.get("phrase", "")
    return _do(lambda tx: stop_words.restore(tx, access.environment(), phrase), f"“{phrase}” counts again.")


@pages.post("/people/stop-words/replies")
def reply() -> ResponseReturnValue:
    form = request.form

    def keep(tx: Session) -> None:
        language, meaning = form.get("language", ""), form.get("meaning", "")
        stop_words.set_reply(tx, access.environment(), language, meaning, form.get("text", ""))

    return _do(keep, "Saved: it is what people are answered from now on.")


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
        languages=LANGUAGES,
        words={language: [word for word in words if word.language == language] for language in LANGUAGES},
        replies=replies,
        meanings=((StopMeaning.STOP, "Stop"), (StopMeaning.RESUME, "Have it again")),
        refused=refused,
        given=request.form if refused else {},
        may_change=permissions.may(access.operator().role, "stop_words.add"),
    )
