"""Page: who lacks a value that a text needs, to enter it, or to make a segment of them; and how many they are."""

from collections.abc import Sequence
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
from broadcasts.preflight import funnel, lacking, needing, report
from broadcasts.preflight.needing import Need

pages = Blueprint("preflight_gaps", __name__)


@pages.get("/broadcasts/<int:broadcast_id>/preflight/people")
def show(broadcast_id: int) -> ResponseReturnValue:
    """`?name=` an attribute a text needs, `?after=` the last person of the page before."""
    return _page(broadcast_id, None)


@pages.get("/broadcasts/<int:broadcast_id>/gaps")
def count(broadcast_id: int) -> str:
    """How many people get nothing for want of a value; a part of the draft's page for its script, else a page."""
    with runtime.current().transaction() as tx:
        found = find(tx, broadcast_id)
        try:
            counted = funnel.load(tx, found)
        except RuleError:
            abort(404)
        told = report.gaps(tx, found, counted)
    name = "_gaps.html" if request.args.get("part") else "gaps.html"
    return render_template(f"broadcasts/{name}", broadcast=found, gaps=told, counted=counted)


@pages.post("/broadcasts/<int:broadcast_id>/preflight/people")
def keep(broadcast_id: int) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            found, wanted = _asked(tx, broadcast_id)
            people = [person_id for person_id, _names in lacking.people(tx, found, wanted)]
            origin = f"People of “{found.name}” of whom {' or '.join(_names(wanted))} was not known"
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
        wanted=_names(wanted),
        people=listed,
        lacked=ids,
        more=max(ids) if len(page) > lacking.PAGE else None,
        name=request.form.get("name", f"{found.name}: {' and '.join(_names(wanted))} missing"[:LONGEST_NAME]),
        problem=problem,
    )


def _asked(tx: Session, broadcast_id: int) -> tuple[Broadcast, tuple[Need, ...]]:
    found = find(tx, broadcast_id)
    wanted = needing.of(tx, found)
    if asked := request.values.get("missing"):
        wanted = tuple(need for need in wanted if need.name == asked)
    if not wanted:
        abort(404)
    return found, wanted


def _names(wanted: Sequence[Need]) -> list[str]:
    return [need.name for need in wanted]
