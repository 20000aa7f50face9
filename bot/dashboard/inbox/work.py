"""Who looks after a conversation and which labels it has: the strip above a thread, and what its buttons do."""

from collections.abc import Callable, Sequence
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

LONGEST_REMARK = 200

_ASK = text("""
    SELECT c.environment, c.state, c.assigned_to_id, o.name AS assigned_to,
           (SELECT remark FROM assignment WHERE conversation_id = c.id ORDER BY id DESC LIMIT 1) AS remark,
           l.id, l.name, l.colour
      FROM conversation c
      LEFT JOIN operator o ON o.id = c.assigned_to_id
      LEFT JOIN (conversation_label w JOIN label l ON l.id = w.label_id) ON w.conversation_id = c.id
     WHERE c.id = :id ORDER BY lower(l.name)
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


def current() -> int | None:
    """The thread that the page shows, if it shows one; `current` of a page that asks for the list alone."""
    return (request.view_args or {}).get("conversation_id") or door.number("current")


def team_of(session: Session, environment: str) -> Team:
    return Team(at_work.coaches(session), offers.load(session, environment))


def load(session: Session, conversation_id: int, team_of: Callable[[str], Team]) -> Work | None:
    """None for a conversation that is not there (any more); the team is asked for by environment."""
    found = session.execute(_ASK, {"id": conversation_id}).all()
    if not found:
        return None
    told, team = found[0], team_of(found[0].environment)
    tags = [Tag(row.id, row.name, row.colour) for row in found if row.id is not None]
    return Work(
        conversation_id,
        assigned_to_id=told.assigned_to_id,
        assigned_to=told.assigned_to,
        remark=told.remark,
        coaches=team.coaches,
        tags=tags,
        others=[tag for tag in team.offers.tags if tag not in tags],
        journeys=team.offers.journeys if told.state == "open" else (),
    )


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
