"""The list of conversations, with none of them open. It works without its script, which only fetches it anew."""

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from bot import runtime
from bot.dashboard import access, listing
from bot.dashboard.inbox import beside, door
from bot.dashboard.inbox.door import pages
from bot.models.connection import Number


@pages.get("/inbox")
def index() -> ResponseReturnValue:
    before = door.number("before")
    with runtime.current().transaction() as tx:
        listed = beside.load(tx, access.environment(), before)
        homes = tx.scalars(select(Number.environment).distinct()).all()
    listed["has_numbers"] = access.environment() in homes
    return render_template(
        "dashboard/inbox.html", **listed, elsewhere=next(iter(homes), None), thread=None, before=before
    )


@pages.get("/inbox/rows")
def rows() -> ResponseReturnValue:
    """The list alone, for the page's script; 304 if nothing in it has changed."""
    state, current = door.state(), door.number("current")
    with runtime.current().transaction() as tx:
        listed = listing.load(tx, access.environment(), state)
    return door.unless_known(
        (listed, state, current), "dashboard/_rows.html", listing=listed, state=state, current=current
    )
