"""What was said, and who is called so, found by words; within one conversation or across all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.conversations import searching
from bot.dashboard import access, people, simulators
from bot.dashboard.inbox import door, mentions
from bot.dashboard.inbox.door import pages
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.person import Person


@dataclass(frozen=True, slots=True)
class Known:
    """Whose conversation it is."""

    name: str
    number: str
    state: str


@pages.get("/inbox/search")
def search() -> ResponseReturnValue:
    """`q` is looked for; with `conversation` in that one alone."""
    typed, within = request.args.get("q", ""), door.number("conversation")
    with runtime.current().transaction() as tx:
        conversation = door.find(tx, within) if within else None
        if conversation is not None:
            access.show_environment(conversation.environment)
        found = searching.search(tx, access.environment(), typed, conversation)
        ids = {*found.conversations, *(hit.conversation_id for hit in found.hits), *([within] if within else [])}
        known = _known(tx, list(ids))
        mentions.know_unseen(tx)
        simulators.know_phone(tx)
    return render_template("dashboard/inbox_search.html", typed=typed.strip(), found=found, known=known, within=within)


def _known(session: Session, ids: Sequence[int]) -> Mapping[int, Known]:
    query = (
        select(Conversation.id, people.name(), Number.name, Conversation.state)
        .join(Person, Person.id == Conversation.person_id)
        .join(Number, Number.id == Conversation.number_id)
        .where(Conversation.id.in_(ids))
    )
    return {id_: Known(name, number, state) for id_, name, number, state in session.execute(query)} if ids else {}
