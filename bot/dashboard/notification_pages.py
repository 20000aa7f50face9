"""Pages: what was sent to one person and what they answered, and everything about one message."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, deliveries, entries, people
from bot.dashboard.profile_pages import links
from bot.language import later, translated
from bot.messages import engagement, history
from bot.messages.compose import NO_ADDRESS, OPTED_OUT, SWITCHED_OFF
from bot.messages.history import Entry
from bot.messages.templates import PreviewText, preview_of
from bot.models.broadcast import Broadcast, Template
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import Direction, MessageState
from bot.people.preferences import NO_CHANNEL, NO_TOPIC
from bot.team import permissions
from bot.why import remedies

pages = Blueprint("notifications", __name__)

TABS: Mapping[str, Direction] = {"sent": Direction.OUT, "responses": Direction.IN}
NEXT: Mapping[str, str] = {
    SWITCHED_OFF: later("Switch them on in the profile, if the person agrees."),
    NO_ADDRESS: later("Add a phone number to the profile."),
    OPTED_OUT: later("Only the person can take it back: then write their word into the ledger."),
    NO_CHANNEL: later("Respect it, or correct the preferences if they are wrong."),
    NO_TOPIC: later("Respect it, or correct the preferences if they are wrong."),
}
"""What to do about a message of ours that we did not send."""


@pages.get("/people/<int:person_id>/messages")
def index(person_id: int) -> ResponseReturnValue:
    """`?show=responses` lists what the person wrote; `?before=` is the last message of the page before."""
    args = request.args
    shown = args["show"] if args.get("show") in TABS else "sent"
    before = args.get("before", None, int)
    with runtime.current().transaction() as tx:
        person = _person(tx, person_id)
        listed = history.page(tx, person_id, TABS[shown], before if before and 0 < before < 2**63 else None)
        name = tx.scalars(select(people.name()).where(Person.id == person_id)).one()
        counted = engagement.of_person(tx, person_id)
    return render_template(
        "dashboard/notifications.html",
        **entries.WORDS,
        person=person,
        name=name,
        listed=listed,
        shown=shown,
        engagement=counted,
        unreported=engagement.UNREPORTED,
    )


@pages.get("/people/<int:person_id>/messages/<int:message_id>")
def show(person_id: int, message_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        person = _person(tx, person_id)
        entry = history.one(tx, person_id, message_id) or abort(404)
        name = tx.scalars(select(people.name()).where(Person.id == person_id)).one()
        template = _template(tx, entry)
        reports = history.reports(tx, entry.message)
        answered = history.one(tx, person_id, entry.answers) if entry.answers else None
    message = entry.message
    return render_template(
        "dashboard/notification.html",
        **entries.WORDS,
        person=person,
        name=name,
        entry=entry,
        answered=answered,
        reports=reports,
        template=template,
        said=entries.said_of(message),
        author=entries.author_of(entry),
        delivery=deliveries.of(message) if message.direction == Direction.OUT else None,
        next_step=next_step(message),
        content=orjson.dumps(message.content or {}, option=orjson.OPT_INDENT_2).decode(),
        why=next((href for href, label, _ in links(person_id) if label == "Why?"), None),
        may_see_broadcast=permissions.may(access.operator().role, "broadcasts.show"),
    )


def next_step(message: Message) -> str | None:
    """What somebody can do about a message that did not get there."""
    if message.state == MessageState.FAILED:
        return remedies.of(message.error_code) if message.error_code is not None else None
    step = NEXT.get(message.error_text or "") if message.state == MessageState.SUPPRESSED else None
    return step and translated(step)


def _template(session: Session, entry: Entry) -> dict[str, Any] | None:
    """What it was made from: of a broadcast as it stood at launch, else as the template stands now."""
    message = entry.message
    if entry.template is None:
        return None
    broadcast = session.get(Broadcast, message.broadcast_id) if message.broadcast_id else None
    found: Mapping[str, Any] | None = broadcast.frozen_template if broadcast else None
    if found is None:
        language = ((message.content or {}).get("template") or {}).get("language") or {}
        connection = select(Number.connection_id).where(Number.id == message.number_id).scalar_subquery()
        kept = session.scalar(
            select(Template).where(
                Template.connection_id == connection,
                Template.name == entry.template,
                Template.language == str(language.get("code")),
            )
        )
        names = ("name", "language", "category", "components")
        found = {name: getattr(kept, name) for name in names} if kept else None
    if found is None:
        return {"name": entry.template, "language": None, "category": None, "text": None}
    text: PreviewText = preview_of(found, {})
    return {**{name: found.get(name) for name in ("name", "language", "category")}, "text": text}


def _person(session: Session, person_id: int) -> Person:
    person = session.get(Person, person_id) or abort(404)
    access.show_environment(person.environment)
    return person
