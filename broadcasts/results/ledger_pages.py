"""Page of a launched broadcast: its ledger, pushed while it changes."""

from typing import Any, cast

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import pushing
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.preference import Topic
from bot.models.words import SegmentRole
from broadcasts import calls
from broadcasts.audience import membership
from broadcasts.finding import find
from broadcasts.labels import BROADCAST
from broadcasts.results import standing, variants, worth
from broadcasts.results.standing import Standing

pages = Blueprint("ledger", __name__)


def page(tx: Session, found: Broadcast, problems: list[str]) -> str:
    shown, now = _lasting(tx, found), standing.of(tx, found.id)
    pace = found.pace_per_s or shown["number"].pace_per_s
    again = worth.plan(tx, found).people if found.state in worth.STATES else 0
    lines = calls.of_launched(found.id, found.state, pace, again, len(now.children))
    shown["calls"] = calls.shown(lines, runtime.current().settings.base_url)
    return render_template("broadcasts/broadcast.html", **shown, standing=now, problems=problems)


@pages.get("/broadcasts/<int:broadcast_id>/live")
def live(broadcast_id: int) -> ResponseReturnValue:
    """The part of the page that moves, for a script that is not pushed to."""
    shown = _asked(broadcast_id)
    return _render(shown, pushing.glance(topic(broadcast_id), lambda: _look(broadcast_id)))


@pages.get("/broadcasts/<int:broadcast_id>/stream")
def stream(broadcast_id: int) -> ResponseReturnValue:
    """The same part as server-sent events, one for each change."""
    shown = _asked(broadcast_id)
    return pushing.push(topic(broadcast_id), lambda: _look(broadcast_id), lambda facts: _render(shown, facts))


def topic(broadcast_id: int) -> str:
    """Publish it, after the commit, where something changed that people should see at once."""
    return f"broadcast:{broadcast_id}"


def _look(broadcast_id: int) -> Standing:
    with runtime.current().transaction() as tx:
        return standing.of(tx, broadcast_id)


def _render(shown: dict[str, Any], facts: object) -> str:
    return render_template("broadcasts/_ledger.html", **shown, standing=cast("Standing", facts))


def _asked(broadcast_id: int) -> dict[str, Any]:
    with runtime.current().transaction() as tx:
        return _lasting(tx, find(tx, broadcast_id))


def _lasting(tx: Session, found: Broadcast) -> dict[str, Any]:
    """What stays as it is while the page is looked at."""
    return {
        "broadcast": found,
        "number": tx.get_one(Number, found.number_id),
        "segments": membership.of(tx, found),
        "without": membership.of(tx, found, SegmentRole.MINUS),
        "template": found.template,
        "topic": tx.get(Topic, found.topic_id) if found.topic_id else None,
        "parent": tx.get(Broadcast, found.parent_id) if found.parent_id else None,
        "said": variants.said(tx, found),
        "labels": BROADCAST,
    }
