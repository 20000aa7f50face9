"""Page: who lacks a value that a text needs, to enter it, or to make a segment of them."""

from itertools import islice

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.language import _
from bot.models.broadcast import Broadcast
from bot.models.person import Person
from bot.people import segments
from bot.people.rules.schema import RuleError
from bot.people.segments import LONGEST_NAME, Maker, SegmentError
from broadcasts.finding import find
from broadcasts.preflight import lacking

pages = Blueprint("preflight_gaps", __name__)


@pages.get("/broadcasts/<int:broadcast_id>/preflight/people")
def show(broadcast_id: int) -> ResponseReturnValue:
    """`?name=` an attribute a text needs, `?after=` the last person of the page before."""
    return _page(broadcast_id, None)


@pages.post("/broadcasts/<int:broadcast_id>/preflight/people")
def keep(broadcast_id: int) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            found, wanted = _asked(tx, broadcast_id)
            people = [person_id for person_id, _names in lacking.people(tx, found, wanted)]
            origin = f"People of “{found.name}” of whom {' or '.join(wanted)} was not known"
            maker, name = Maker(operator_id=access.operator().id), request.form.get("name", "")
            segment, _added = segments.add_selection(tx, found.environment, name, people, origin, maker)
    except SegmentError as error:
        return _page(broadcast_id, str(error)), 422
    flash(_("%(name)s is made. It stays as it is, whatever is entered about them.", name=segment.name))
    return redirect(url_for("segments.show", segment_id=segment.id), 303)


def _page(broadcast_id: int, problem: str | None) -> str:
    with runtime.current().transaction() as tx:
        found, wanted = _asked(tx, broadcast_id)
        after = min(request.args.get("after", 0, int), 2**63 - 1)
        try:
            page = list(islice(lacking.people(tx, found, wanted, after), lacking.PAGE + 1))
        except RuleError:
            abort(404)
        ids = dict(page[: lacking.PAGE])
        listed = tx.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.id)).all()
    return render_template(
        "broadcasts/preflight_people.html",
        broadcast=found,
        wanted=wanted,
        people=listed,
        lacked=ids,
        more=max(ids) if len(page) > lacking.PAGE else None,
        name=request.form.get("name", f"{found.name}: {' and '.join(wanted)} missing"[:LONGEST_NAME]),
        problem=problem,
    )


def _asked(tx: Session, broadcast_id: int) -> tuple[Broadcast, tuple[str, ...]]:
    found = find(tx, broadcast_id)
    names = lacking.names(tx, found)
    asked = request.values.get("missing")
    if not names or (asked and asked not in names):
        abort(404)
    return found, (asked,) if asked else names
