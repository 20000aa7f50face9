"""A thread of the inbox. It works without its script, which only fetches it anew."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import flash, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.conversations import coach, threads, window
from bot.conversations.coach import ReplyError, WindowClosedError
from bot.dashboard import access, people, timeline, times
from bot.dashboard.inbox import beside, door
from bot.dashboard.inbox.door import pages
from bot.dashboard.timeline import Timeline
from bot.models.connection import Number
from bot.models.person import Person
from bot.models.words import Environment


@dataclass(frozen=True, slots=True)
class Thread:
    id: int
    environment: Environment
    name: str
    phone: str | None
    number: str
    is_open: bool
    unread: int
    can_write: bool
    window_left: str | None
    """`5 hours`; None when the window is closed or was never open."""
    is_ending: bool
    timeline: Timeline


@pages.get("/inbox/<int:conversation_id>")
def thread(conversation_id: int) -> ResponseReturnValue:
    return _thread_page(conversation_id)


@pages.get("/inbox/<int:conversation_id>/live")
def live(conversation_id: int) -> ResponseReturnValue:
    """The moving parts of a thread, for the page's script; 304 if nothing in them has changed."""
    with runtime.current().transaction() as tx:
        found = _load(tx, conversation_id)
    return door.unless_known(
        found, "dashboard/_thread.html", thread=found, state=door.state(), draft="", key=_new_key()
    )


@pages.post("/inbox/<int:conversation_id>/reply")
def reply(conversation_id: int) -> ResponseReturnValue:
    rt, text = runtime.current(), request.form.get("text", "")
    try:
        with rt.transaction() as tx:
            door.find(tx, conversation_id)
            coach.reply(tx, conversation_id, access.operator().id, text, request.form.get("key", ""))
    except ReplyError as error:
        status = 409 if isinstance(error, WindowClosedError | coach.ThreadClosedError) else 422
        return make_response(_thread_page(conversation_id, draft=text, refused=str(error)), status)
    rt.ring("send")
    return door.back(conversation_id)


@pages.post("/inbox/<int:conversation_id>/read")
def mark_read(conversation_id: int) -> ResponseReturnValue:
    """With `quietly`, as the page's script asks, 204 instead of the page."""
    with runtime.current().transaction() as tx:
        door.find(tx, conversation_id)
        coach.mark_read(tx, conversation_id, request.form.get("last", 0, type=int))
    return ("", 204) if "quietly" in request.form else door.back(conversation_id)


@pages.post("/inbox/<int:conversation_id>/close")
def close(conversation_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        door.find(tx, conversation_id)
        closed = threads.close(tx, conversation_id, access.operator().id)
    flash("Closed. It opens again by itself when the person writes." if closed else "It was closed already.")
    return door.back(conversation_id)


@pages.post("/inbox/<int:conversation_id>/reopen")
def reopen(conversation_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        door.find(tx, conversation_id)
        reopened = threads.reopen(tx, conversation_id, access.operator().id)
    flash("Reopened." if reopened else "It was open already.")
    return door.back(conversation_id)


def _thread_page(conversation_id: int, *, draft: str = "", refused: str | None = None) -> str:
    before = door.number("before")
    with runtime.current().transaction() as tx:
        found = _load(tx, conversation_id, before)
        access.show_environment(found.environment)
        listed = beside.load(tx, found.environment)
    return render_template(
        "dashboard/inbox.html",
        **listed,
        thread=found,
        before=before,
        draft=draft,
        refused=refused,
        key=_new_key(),
    )


def _load(session: Session, conversation_id: int, before: int | None = None) -> Thread:
    conversation = door.find(session, conversation_id)
    found = session.execute(
        select(people.name().label("person"), people.phone().label("phone"), Number.name, Number.phone.label("line"))
        .select_from(Person)
        .join(Number, Number.id == conversation.number_id)
        .where(Person.id == conversation.person_id)
    ).one()
    now = datetime.now(UTC)
    closes = window.closes_at(conversation)
    left = closes - now if closes and closes > now else None
    return Thread(
        id=conversation.id,
        environment=Environment(conversation.environment),
        name=found.person,
        phone=found.phone,
        number=f"{found.name} {found.line}",
        is_open=conversation.state == "open",
        unread=conversation.unread_count,
        can_write=left is not None,
        window_left=times.duration(left) if left else None,
        is_ending=left is not None and left < timedelta(hours=2),
        timeline=timeline.load(session, conversation, before),
    )


def _new_key() -> str:
    return secrets.token_urlsafe(18)
