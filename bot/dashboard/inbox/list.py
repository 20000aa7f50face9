"""The list of conversations, with none of them open. It works without its script, which only keeps it fresh."""

from typing import cast

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from bot import live, runtime
from bot.conversations import at_work
from bot.conversations.finding import Asked
from bot.dashboard import access, listing, pushing
from bot.dashboard.inbox import beside, door, work
from bot.dashboard.inbox.door import pages
from bot.dashboard.listing import Listing
from bot.language import spoken
from bot.models.connection import Number

QUICK_S = 0.5
"""Between two looks at a list that moves: what came in is on the screen within this time."""


@pages.get("/inbox")
def index() -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        listed = beside.load(tx, access.environment())
        homes = tx.scalars(select(Number.environment).distinct()).all()
    listed["has_numbers"] = access.environment() in homes
    return render_template(
        "dashboard/inbox.html",
        **listed,
        elsewhere=next(iter(homes), None),
        thread=None,
        before=None,
    )


@pages.get("/inbox/rows")
def rows() -> ResponseReturnValue:
    """The list alone, for a script that is not pushed to; 304 if nothing in it has changed."""
    asked = _asked()
    facts = cast("Listing", pushing.glance(_topic(asked), lambda: _look(asked)))
    shown = _shown(facts)
    return door.unless_known((facts, asked, shown["work"], shown["current"]), "dashboard/_rows.html", **shown)


@pages.get("/inbox/listen")
def listen() -> ResponseReturnValue:
    """The list as server-sent events, one for each change; who look at the same list share one look at it."""
    asked = _asked()

    def render(facts: object) -> str:
        return render_template("dashboard/_rows.html", **_shown(cast("Listing", facts)))

    return pushing.push(_topic(asked), lambda: _look(asked), render, QUICK_S)


def _asked() -> Asked:
    """The list of a page that is left open: whoever looks at it is there to be given work."""
    at_work.tell(runtime.current().redis, access.operator().id)
    return door.asked(access.environment())


def _topic(asked: Asked) -> str:
    told = (asked.tab, asked.operator_id, asked.number_id, asked.label_id, asked.segment_id, asked.assigned_to_id)
    return f"{live.inbox(asked.environment)}?{','.join(str(each) for each in told)}"


def _look(asked: Asked) -> Listing:
    """Runs in a thread of the process that pushes, without a request."""
    with runtime.current().transaction() as tx:
        return listing.load(tx, asked)


def _shown(facts: Listing) -> dict[str, object]:
    with runtime.current().transaction() as tx:
        strip = work.of_request(tx)
    return {
        "listing": facts,
        "state": door.state(),
        "tabs": spoken(beside.TABS),
        "is_alone": True,
        "current": door.number("current"),
        "work": strip,
    }
