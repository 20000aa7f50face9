"""Who looks after a conversation and which labels it has: the strip above a thread, and what its buttons do."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import runtime
from bot.conversations import assigning, at_work, labels
from bot.conversations.assigning import AssignError
from bot.conversations.at_work import Coach
from bot.conversations.coach import ReplyError
from bot.conversations.labels import LabelError, Tag
from bot.dashboard import access
from bot.dashboard.inbox import door, offers
from bot.dashboard.inbox.door import pages
from bot.dashboard.inbox.offers import Offers
from bot.journeys import handing
from bot.models.conversation import Conversation
from bot.models.team import Operator

LONGEST_REMARK = 200

_ASK = text("""
    SELECT last.remark, l.id, l.name, l.colour
      FROM (SELECT (SELECT remark FROM assignment WHERE conversation_id = :id ORDER BY id DESC LIMIT 1) AS remark) last
      LEFT JOIN (conversation_label w JOIN label l ON l.id = w.label_id) ON w.conversation_id = :id
     ORDER BY lower(l.name)
""")


@dataclass(frozen=True, slots=True)
class Team:
    """Of the environment that a page shows."""

    coaches: Sequence[Coach]
    offers: Offers


@dataclass(frozen=True, slots=True)
class Work:
    conversation_id: int
    assigned_to_id: int | None
    assigned_to: str | None
    remark: str | None
    """What was said at the last hand-over."""
    coaches: Sequence[Coach]
    tags: Sequence[Tag]
    others: Sequence[Tag]
    """Labels that it does not have."""
    journeys: Sequence[tuple[int, str]]
    """What it can be handed back to."""


def of_request(session: Session, team: Team | None = None) -> Work | None:
    """Of the thread that the page shows, if it shows one; `current` of a page that asks for the list alone."""
    conversation_id = (request.view_args or {}).get("conversation_id") or door.number("current")
    conversation = session.get(Conversation, conversation_id) if conversation_id else None
    return load(session, conversation, team) if conversation else None


def load(session: Session, conversation: Conversation, team: Team | None = None) -> Work:
    team = team or Team(at_work.coaches(session), offers.load(session, conversation.environment))
    found = session.execute(_ASK, {"id": conversation.id}).all()
    tags = [Tag(id_, name, colour) for _remark, id_, name, colour in found if id_ is not None]
    worn = {tag.id for tag in tags}
    return Work(
        conversation.id,
        assigned_to_id=conversation.assigned_to_id,
        assigned_to=_name(session, team, conversation.assigned_to_id),
        remark=found[0].remark,
        coaches=team.coaches,
        tags=tags,
        others=[tag for tag in team.offers.tags if tag.id not in worn],
        journeys=team.offers.journeys if conversation.state == "open" else (),
    )


def _name(session: Session, team: Team, operator_id: int | None) -> str | None:
    if operator_id is None:
        return None
    known = next((coach.name for coach in team.coaches if coach.id == operator_id), None)
    return known or session.get_one(Operator, operator_id).name  # who answers no longer may still look after it


@pages.post("/inbox/<int:conversation_id>/assign")
def assign(conversation_id: int) -> ResponseReturnValue:
    """`to` is a coach's id; without one nobody looks after it any more."""
    me, to = access.operator().id, request.form.get("to", type=int)
    remark = " ".join(request.form.get("remark", "").replace("\x00", "").split())[:LONGEST_REMARK]
    with runtime.current().transaction() as tx:
        access.show_environment(door.find(tx, conversation_id).environment)
        try:
            assigning.assign(tx, conversation_id, to, me, remark or None)
        except AssignError as error:
            flash(str(error), "danger")
    return door.back(conversation_id)


@pages.post("/inbox/<int:conversation_id>/stack")
def hand_back(conversation_id: int) -> ResponseReturnValue:
    """`journey` begins now, and goes on by itself."""
    rt = runtime.current()
    try:
        with rt.transaction() as tx:
            access.show_environment(door.find(tx, conversation_id).environment)
            handing.hand_back(tx, conversation_id, request.form.get("journey", 0, type=int), access.operator().id)
    except ReplyError as error:
        flash(str(error), "danger")
    else:
        rt.ring("send")
    return door.back(conversation_id)


@pages.post("/inbox/<int:conversation_id>/label")
def label(conversation_id: int) -> ResponseReturnValue:
    """Put `label` on it, or with `off` take it off."""
    chosen = request.form.get("chosen", 0, type=int)
    with runtime.current().transaction() as tx:
        conversation = door.find(tx, conversation_id)
        access.show_environment(conversation.environment)
        if "off" in request.form:
            labels.detach(tx, conversation, chosen)
        else:
            try:
                labels.attach(tx, conversation, chosen, access.operator().id)
            except LabelError as error:
                flash(str(error), "danger")
    return door.back(conversation_id)
