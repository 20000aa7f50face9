"""The list of conversations, with none of them open. It works without its script, which only keeps it fresh."""

from typing import cast

from flask import render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import live, runtime
from bot.conversations import at_work
from bot.conversations.finding import Asked
from bot.dashboard import access, listing, pushing
from bot.dashboard.inbox import beside, door, work
from bot.dashboard.inbox import rows as rows_of
from bot.dashboard.inbox.board import Board
from bot.dashboard.inbox.door import pages
from bot.dashboard.inbox.work import Team, Work
from bot.dashboard.listing import Listing
from bot.language import spoken
from bot.models.connection import Number

QUICK_S = 0.2
"""Between two looks at a list that moves; at the first move after a rest it is looked at straight away."""


@pages.get("/inbox")
def index() -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        listed = beside.load(tx, access.environment())
        homes = () if listed["has_numbers"] else tx.scalars(select(Number.environment).distinct()).all()
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
    board = cast("Board", pushing.glance(_topic(asked), lambda: _look(asked)))
    facts = board.listing
    with runtime.current().transaction() as tx:
        strip, current = _strip(tx, board), door.number("current")
    shown = _shown(facts) | {"work": strip, "current": current}
    return door.unless_known((facts, asked, strip, current), "dashboard/_rows.html", **shown)


@pages.get("/inbox/listen")
def listen() -> ResponseReturnValue:
    """The list as server-sent events, one for each change; who look at the same list share one look at it."""
    asked, current = _asked(), door.number("current")
    told: Board | None = None
    strip: Work | None = None
    above = ""

    def render(facts: object) -> str:
        nonlocal told, strip, above
        board, known, last = cast("Board", facts), told, strip
        told = board
        wanted = (known.serial if known else 0, rows_of.view(board.listing))
        shared = board.once(wanted, lambda: _paint(board.listing, known.listing if known else None))
        with runtime.current().transaction() as tx:
            strip = _strip(tx, board)
        if strip != last:  # told again as it was: whoever had a menu of it open did not take the last
            above = render_template("dashboard/_work.html", work=strip)
        return str(rows_of.mark(shared, current)) + above

    return pushing.push(_topic(asked), lambda: _look(asked), render, QUICK_S)


def _asked() -> Asked:
    """The list of a page that is left open: whoever looks at it is there to be given work."""
    at_work.tell(runtime.current().redis, access.operator().id)
    return door.asked(access.environment())


def _topic(asked: Asked) -> str:
    told = (asked.tab, asked.operator_id, asked.number_id, asked.label_id, asked.segment_id, asked.assigned_to_id)
    return f"{live.inbox(asked.environment)}?{','.join(str(each) for each in told)}"


def _look(asked: Asked) -> Board:
    """Runs in a thread of the process that pushes, without a request."""
    with runtime.current().transaction() as tx:
        return Board(listing.load(tx, asked))


def _paint(shown: Listing, known: Listing | None) -> Markup:
    """What whoever was shown the `known` list needs to be shown this one."""
    return Markup(render_template("dashboard/_rows.html", **_shown(shown, known)))  # noqa: S704 (a template made it)


def _shown(shown: Listing, known: Listing | None = None) -> dict[str, object]:
    return {
        "listing": shown,
        "row": rows_of.painter(known),
        "state": door.state(),
        "tabs": spoken(beside.TABS),
        "is_alone": True,
        "current": None,
        "work": None,
    }


def _strip(session: Session, board: Board) -> Work | None:
    """Of the thread that this page shows; the team above it is asked for once for all who look at the board."""
    current = work.current()

    def team_of(environment: str) -> Team:
        return board.once(("team", environment), lambda: work.team_of(session, environment))

    return work.load(session, current, team_of) if current else None
