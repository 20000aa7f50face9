"""Pages: segments, who is in them, and what is done with one."""

import json
import shlex
from collections.abc import Iterator

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, downloads
from bot.language import _
from bot.models.segment import Segment
from bot.people.rules import wording
from bot.people.rules.counting import Count
from bot.people.rules.directory import Directory
from bot.people.rules.schema import RuleError, load
from bot.people.segments import Maker
from broadcasts.segments import editing, export, segments, uses
from broadcasts.segments.segments import Listed, SegmentError

pages = Blueprint("segments", __name__)


@pages.get("/segments")
def index() -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        return render_template("broadcasts/segments.html", segments=segments.every(tx, access.environment()))


@pages.get("/segments/<int:segment_id>")
def show(segment_id: int) -> ResponseReturnValue:
    after = request.args.get("after", 0, int)
    with runtime.current().transaction() as tx:
        segment = found(tx, segment_id)
        problem, people, count = None, [], None
        try:
            count = segments.size(tx, segment)
            people = segments.members(tx, segment, after=max(0, min(after, 2**63 - 1)))
        except RuleError as error:
            problem = str(error)
        return render_template(
            "broadcasts/segment.html",
            listed=Listed(segment, count),
            segment=segment,
            problem=problem,
            people=people,
            more=people[-1].id if len(people) == segments.PAGE else None,
            after=after,
            outline=wording.outline(Directory(tx, segment.environment), load(segment.rule)) if segment.rule else [],
            uses=uses.of(tx, segment),
            people_href=_people_href(segment),
            curl=_curl(segment),
        )


@pages.get("/segments/<int:segment_id>/count")
def live(segment_id: int) -> ResponseReturnValue:
    """How many are in it, for a page's script; `?exact=yes` takes its time."""
    with runtime.current().transaction() as tx:
        segment = found(tx, segment_id)
        try:
            count: Count | None = segments.size(tx, segment, is_patient="exact" in request.args)
        except RuleError:
            count = None
        return render_template("broadcasts/_segment_count.html", segment=segment, count=count)


@pages.post("/segments/<int:segment_id>/duplicate")
def duplicate(segment_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        made = editing.duplicate(tx, found(tx, segment_id), me())
    flash(_("%(name)s is made; it goes its own way from here on.", name=made.name))
    return redirect(url_for("segments.show", segment_id=made.id), 303)


@pages.post("/segments/<int:segment_id>/delete")
def delete(segment_id: int) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            segment = found(tx, segment_id)
            editing.delete(tx, segment)
    except SegmentError as error:
        flash(str(error), "danger")
        return redirect(url_for("segments.show", segment_id=segment_id), 303)
    flash(_("%(name)s is deleted; its people are as they were.", name=segment.name))
    return redirect(url_for("segments.index"), 303)


@pages.get("/segments/<int:segment_id>.csv")
def download(segment_id: int) -> ResponseReturnValue:
    """Its people, in columns that a list takes in again."""
    rt = runtime.current()
    with rt.transaction() as tx:
        name = found(tx, segment_id).name
    downloads.note()

    def pieces() -> Iterator[bytes]:
        with rt.transaction() as tx:
            yield from export.as_csv(tx, tx.get_one(Segment, segment_id))

    response = Response(pieces(), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.csv")
    return response


def found(tx: Session, segment_id: int) -> Segment:
    segment = tx.get(Segment, segment_id)
    if segment is None:
        abort(404)
    access.show_environment(segment.environment)
    return segment


def me() -> Maker:
    return Maker(operator_id=access.operator().id)


def _curl(segment: Segment) -> str:
    """What a program sends to have what the page shows: a list's people, or a segment by the same rule."""
    base = f"{runtime.current().settings.base_url.rstrip('/')}/api/v1/segments"
    curl = 'curl -H "Authorization: Bearer $TOKEN"'
    if segment.rule is None:
        return f"{curl} {shlex.quote(f'{base}/{segment.id}/members')}"
    body = json.dumps({"name": segment.name, "rule": segment.rule}, ensure_ascii=False)
    return f"{curl} -H 'Content-Type: application/json' {shlex.quote(base)} -d {shlex.quote(body)}"


def _people_href(segment: Segment) -> str | None:
    """The listing of people, narrowed to it, where there is one."""
    if "listing.index" not in current_app.view_functions:
        return None
    return url_for("listing.index", segment=segment.id)
