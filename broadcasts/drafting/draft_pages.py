"""Page of a draft: what it says, to whom and when, as real people would read it, and test sends of it."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from bot.messages.templates import preview_of
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.preference import Topic
from broadcasts import broadcasts, membership
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting import preview
from broadcasts.segments import segments
from broadcasts.segments.segments import Listed
from broadcasts.templates.templates import frozen

pages = Blueprint("drafts", __name__)


def page(tx: Session, draft: Broadcast, problems: list[str]) -> str:
    """`?person=` adds people to the preview."""
    segment = membership.of(tx, draft)[0]
    return render_template(
        "broadcasts/draft.html",
        broadcast=draft,
        number=tx.get_one(Number, draft.number_id),
        segment=Listed(segment, segments.size(tx, segment)),
        template=draft.template,
        topic=tx.get(Topic, draft.topic_id) if draft.topic_id else None,
        template_text=preview_of(frozen(draft.template), {}),
        people=preview.people(tx, draft, request.args.get("person", "").split(",")),
        problems=problems,
    )


@pages.get("/broadcasts/<int:broadcast_id>/gaps")
def gaps(broadcast_id: int) -> ResponseReturnValue:
    """How many people lack a value; a part of the draft's page for its script, else a page of its own."""
    with runtime.current().transaction() as tx:
        found = find(tx, broadcast_id)
        counted, unwilling = preview.gaps(tx, found), preview.unwilling(tx, found)
    name = "_gaps.html" if request.args.get("part") else "gaps.html"
    return render_template(f"broadcasts/{name}", broadcast=found, gaps=counted, unwilling=unwilling)


def find(tx: Session, broadcast_id: int) -> Broadcast:
    """The broadcast, whose environment the page then shows; 404 if there is none."""
    try:
        found = broadcasts.get(tx, broadcast_id)
    except BroadcastError:
        abort(404)
    access.show_environment(found.environment)
    return found
