"""Pages: which summaries go out, a new one, one at once; and a link in each for whoever wants no more of it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, languages
from bot.dashboard.summaries import writing
from bot.insights.summaries import keeping, problems, runs
from bot.insights.summaries.keeping import SummaryError
from bot.language import LANGUAGES, _, later
from bot.models.summary import Summary
from bot.models.words import SummaryRhythm, SummaryWay
from bot.team import audit
from bot.team.audit import Action, By

pages = Blueprint("summaries", __name__)

RHYTHMS = {
    SummaryRhythm.WEEKLY.value: later("Every week"),
    SummaryRhythm.DAILY.value: later("Every day"),
    SummaryRhythm.MONTHLY.value: later("On the first of each month"),
}
WAYS = {SummaryWay.EMAIL.value: later("By e-mail"), SummaryWay.CHAT.value: later("To a chat")}
_EARLY = 8
"""The hour offered."""


@pages.get("/insights/summaries")
def index() -> ResponseReturnValue:
    return _page()


@pages.post("/insights/summaries")
def create() -> ResponseReturnValue:
    rt, now = runtime.current(), datetime.now(UTC)
    try:
        with rt.transaction() as tx:
            environment, me = access.environment().value, access.operator().id
            made = keeping.make(tx, rt.settings, environment, request.form, me, now)
            told = {"to": made.place, "way": made.way, "rhythm": made.rhythm}
            audit.note(tx, access.by(), Action.SUMMARY_MADE, f"summary {made.id}", after=told)
    except SummaryError as error:
        return _page(error), 422
    flash(_("The summary is set up. Have one sent now to see whether it arrives."))
    return redirect(url_for("summaries.index"), 303)


@pages.post("/insights/summaries/<int:summary_id>/send")
def send(summary_id: int) -> ResponseReturnValue:
    rt = runtime.current()
    with rt.transaction() as tx:
        runs.ask(tx, _found(tx, summary_id), _zone(), datetime.now(UTC))
    flash(_("It goes out within seconds. Reload this page to see what became of it."))
    return redirect(url_for("summaries.index"), 303)


@pages.post("/insights/summaries/<int:summary_id>/stop")
def stop(summary_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        keeping.stop(tx, _found(tx, summary_id), access.by(), datetime.now(UTC))
    return redirect(url_for("summaries.index"), 303)


@pages.post("/insights/summaries/<int:summary_id>/go-on")
def go_on(summary_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        keeping.go_on(tx, _found(tx, summary_id), access.by(), _zone(), datetime.now(UTC))
    return redirect(url_for("summaries.index"), 303)


@pages.post("/insights/summaries/<int:summary_id>/delete")
def delete(summary_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        found = _found(tx, summary_id)
        audit.note(tx, access.by(), Action.SUMMARY_DELETED, f"summary {found.id}", before={"to": found.place})
        tx.delete(found)
    return redirect(url_for("summaries.index"), 303)


@pages.get("/summaries/stop/<word>")
def leave(word: str) -> ResponseReturnValue:
    """A question, as mail programs open links to look at them."""
    with runtime.current().transaction() as tx:
        found = _by_word(tx, word)
    return render_template("dashboard/summaries/stop.html", place=found.place, is_stopped=found.stopped_at is not None)


@pages.post("/summaries/stop/<word>")
def left(word: str) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        found = _by_word(tx, word)
        keeping.stop(tx, found, By(address=request.remote_addr), datetime.now(UTC))
    return render_template("dashboard/summaries/stop.html", place=found.place, is_stopped=True)


def _page(refused: SummaryError | None = None) -> str:
    rt = runtime.current()
    with rt.transaction() as tx:
        listed = keeping.listed(tx, access.environment().value)
    weekdays = languages.locale().days["stand-alone"]["wide"]
    return render_template(
        "dashboard/summaries/index.html",
        listed=listed,
        why=problems.sentence,
        refused=refused,
        given=request.form,
        ways=WAYS,
        rhythms=RHYTHMS,
        weekdays=[(day + 1, weekdays[day]) for day in range(7)],
        hours=[(hour, f"{hour:02}:00") for hour in range(24)],
        hour=_EARLY,
        spoken=LANGUAGES,
        speaks=str(languages.locale()),
        can_mail=rt.settings.smtp_url is not None,
        zone=_zone().key,
    )


def _found(session: Session, summary_id: int) -> Summary:
    found = session.get(Summary, summary_id) or abort(404)
    access.show_environment(found.environment)
    return found


def _by_word(session: Session, word: str) -> Summary:
    summary_id = writing.stopped_by(runtime.current().settings, word)
    found = session.get(Summary, summary_id) if summary_id is not None else None
    return found or abort(404)


def _zone() -> ZoneInfo:
    return ZoneInfo(runtime.current().settings.time_zone)
