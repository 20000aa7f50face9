"""Pages: everybody in a table, to be searched, sorted, filtered, picked for a segment and taken along as CSV."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot import phone as phones
from bot import runtime
from bot.dashboard import access, downloads, times
from bot.language import _, figure
from bot.models.segment import Segment
from bot.people import asking, profiles, properties, segments, sorts, table
from bot.people.finding import REFUSALS, Asked, Finder, Found
from bot.people.properties import Listed
from bot.people.segments import Maker, SegmentError
from bot.people.tellers import Teller
from bot.team import permissions

pages = Blueprint("listing", __name__)

MOST_SELECTED = 200_000
"""People whom one click makes a segment; who wants more writes a rule."""
_NOBODY = Found((), has_before=False, has_after=False, count=0)


@pages.get("/people")
def index() -> ResponseReturnValue:
    """A question that cannot be asked is answered by what is wrong with it, above the form it came from."""
    with runtime.current().transaction() as tx:
        columns = properties.shown(tx, access.environment())
        asked, found, total, problem = _look(tx)
        shown = {"asked": asked, "found": found, "total": total, "problem": problem}
        rows = table.load(tx, found.ids, columns)
        page = render_template("dashboard/people.html", rows=rows, columns=columns, **shown, **_choices(tx))
    return page, 422 if problem else 200


@pages.get("/people/export")
def export() -> ResponseReturnValue:
    """The listing as it is asked for, from its first page to its last."""
    asked, columns = _asked_or_refused()
    response: Response = downloads.csv(
        f"people-{asked.environment}-{datetime.now(UTC):%Y-%m-%d}", table.header(columns), _cells(asked, columns)
    )
    return response


@pages.post("/people/select")
def keep() -> ResponseReturnValue:
    """A segment of the people who were ticked, or of all that match."""
    here = url_for("listing.index", **_given())  # type: ignore[arg-type]  # names of ours alone
    try:
        with runtime.current().transaction() as tx:
            finder = Finder(tx, _asked())
            people = _picked(finder)
            name, maker = request.form.get("name", ""), Maker(operator_id=access.operator().id)
            segment, added = segments.add_selection(tx, finder.asked.environment, name, people, maker=maker)
    except (SegmentError, *REFUSALS) as error:
        flash(str(error), "danger")
        return redirect(here, 303)
    flash(_("%(added)s people joined the segment %(name)s.", added=figure(added), name=segment.name))
    return redirect(url_for("listing.index", segment=segment.id), 303)


@pages.get("/people/new")
def new() -> ResponseReturnValue:
    return _form({})


@pages.post("/people/new")
def create() -> ResponseReturnValue:
    given = {name: value.strip() for name, value in request.form.items() if value.strip()}
    addresses = {kind: given.pop(kind) for kind in ("phone", "email") if kind in given}
    wanted = {name: value for name, value in given.items() if name in _FIELDS} | {"addresses": addresses}
    teller = Teller("coach", operator_id=access.operator().id)
    try:
        with runtime.current().transaction() as tx:
            person = profiles.create(tx, access.environment(), wanted, teller)
    except profiles.ProfileError as error:
        return _form(error.problems), 422
    flash(_("The profile is made."))
    return redirect(url_for("people.show", person_id=person.id), 303)


_FIELDS = ("distinct_id", "nickname", "first_name", "last_name", "country", "language", "time_zone")


def _form(problems: Mapping[str, str]) -> str:
    by_field = {name.removeprefix("addresses.").split("[")[0]: text for name, text in problems.items()}
    return render_template("dashboard/person_new.html", problems=by_field, countries=sorted(phones.calling_codes()))


def _look(tx: Session) -> tuple[Asked, Found, int | None, str | None]:
    """What was asked, who is on the page, how many match, and what is wrong with the question."""
    try:
        finder = Finder(tx, _asked())
        after, before = (asking.read_id(name, request.args.get(name, "")) for name in ("after", "before"))
        found = finder.page(after=after, before=before)
    except REFUSALS as error:
        return Asked(access.environment()), _NOBODY, None, str(error)
    return finder.asked, found, _total(finder, found), None


def _picked(finder: Finder) -> Select[int] | list[int]:
    """Who was ticked, or all that match; raises SegmentError."""
    if request.form.get("who") == "all":
        if finder.count(MOST_SELECTED + 1) > MOST_SELECTED:
            raise SegmentError(
                _("More than %(count)s people match: make a segment by a rule instead.", count=figure(MOST_SELECTED))
            )
        return finder.everybody()
    ticked = [id_ for id_ in request.form.getlist("person", int) if 0 < id_ < 2**63]
    if not ticked:
        raise SegmentError(_("Nobody is ticked: tick the people, or choose all that match."))
    return ticked


def _asked() -> Asked:
    return asking.read(access.environment(), request.args)


def _asked_or_refused() -> tuple[Asked, Sequence[Listed]]:
    with runtime.current().transaction() as tx:
        try:
            finder = Finder(tx, _asked())
            finder.sorted()
        except REFUSALS as error:
            abort(422, str(error))
        return finder.asked, properties.shown(tx, access.environment())


def _cells(asked: Asked, columns: Sequence[Listed]) -> Iterator[list[str]]:
    with runtime.current().transaction() as tx:
        for row in table.every(tx, Finder(tx, asked), columns):
            yield table.cells(columns, row)


def _total(finder: Finder, found: Found) -> int | None:
    """How many match, MOST_SORTED + 1 for more than that; None where counting would take longer than the page."""
    if found.count is not None:
        return found.count
    if not found.has_before and not found.has_after:
        return len(found.ids)
    return None if finder.terms else finder.count(sorts.MOST_SORTED + 1)


def _given() -> dict[str, str]:
    return {name: value for name in asking.NAMES if (value := request.args.get(name, ""))}


def _choices(tx: Session) -> dict[str, Any]:
    environment = access.environment()
    there = select(Segment.id, Segment.name).where(Segment.environment == environment).order_by(Segment.name).limit(500)
    return {
        "given": _given(),
        "segments": tx.execute(there).all(),
        "countries": sorted(phones.calling_codes()),
        "indexed": sorts.INDEXED,
        "most_sorted": sorts.MOST_SORTED,
        "may": partial(permissions.may, access.operator().role),
        "cell": table.shown,
        "moment_of": lambda written: times.moment(datetime.fromisoformat(written)),
    }
