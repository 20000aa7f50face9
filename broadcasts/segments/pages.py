"""Pages: segments and who is in them."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from broadcasts.segments import segments

pages = Blueprint("segments", __name__)


@pages.get("/segments")
def index() -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        return render_template("broadcasts/segments.html", segments=segments.every(tx, access.environment()))


@pages.get("/segments/<int:segment_id>")
def show(segment_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        found = segments.one(tx, segment_id)
        if found is None:
            abort(404)
        access.show_environment(found.segment.environment)
        people = segments.members(tx, found.segment, after=request.args.get("after", 0, int))
    more = people[-1].id if len(people) == segments.PAGE else None
    return render_template("broadcasts/segment.html", found=found, people=people, more=more)
