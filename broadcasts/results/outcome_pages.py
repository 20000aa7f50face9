"""Pages: a segment of the people behind a number of a broadcast. They belong to the segments' own."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _
from bot.models.broadcast import Broadcast
from bot.people.segments import LONGEST_NAME
from broadcasts.results import outcomes
from broadcasts.results.parts import PARTS, Asked
from broadcasts.segments.builder_pages import pages as pages
from broadcasts.segments.pages import me
from broadcasts.segments.segments import SegmentError


@pages.get("/segments/of-broadcast")
def of_outcome() -> ResponseReturnValue:
    """`?broadcast=`, `?outcome=` as its pages name it, `?reason=` of its ledger, `?variant=` 0 for A, `?language=`."""
    return _form(None)


@pages.post("/segments/of-broadcast")
def make_of_outcome() -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            broadcast, asked = _asked(tx)
            made = outcomes.make(tx, broadcast, request.form.get("name", ""), asked, me())
    except SegmentError as error:
        return _form(str(error)), 422
    flash(_("%(name)s is made. It stays as it is, whatever becomes of the broadcast.", name=made.name))
    return redirect(url_for("segments.show", segment_id=made.id), 303)


def _form(problem: str | None) -> str:
    with runtime.current().transaction() as tx:
        broadcast, asked = _asked(tx)
        words = outcomes.in_words(broadcast, asked)
        return render_template(
            "broadcasts/segment_of_outcome.html",
            broadcast=broadcast,
            asked=asked,
            words=words,
            people=outcomes.count(tx, broadcast, asked),
            name=request.form.get("name", words[:LONGEST_NAME]),
            problem=problem,
        )


def _asked(tx: Session) -> tuple[Broadcast, Asked]:
    broadcast_id, variant = request.values.get("broadcast", 0, int), request.values.get("variant", -1, int)
    outcome, reason, language = (_value(name) for name in ("outcome", "reason", "language"))
    found = tx.get(Broadcast, broadcast_id) if 0 < broadcast_id < 2**63 else None
    if found is None or (outcome is not None and outcome not in PARTS):
        abort(404)
    access.show_environment(found.environment)
    return found, Asked(outcome, reason, variant if 0 <= variant < 2**15 else None, language)


def _value(name: str) -> str | None:
    return request.values.get(name, "").replace("\0", "") or None
