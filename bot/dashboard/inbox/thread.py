"""A thread of the inbox. It works without its script, which is pushed its moving parts and swaps them."""

from datetime import UTC, datetime
from typing import cast

from flask import flash, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from bot import live as hub
from bot import runtime
from bot.conversations import coach, notes, presence, receipts, threads
from bot.dashboard import access, profile, pushing
from bot.dashboard.inbox import answering, door, shown
from bot.dashboard.inbox.door import pages
from bot.dashboard.inbox.shown import Thread
from bot.language import _, spoken
from bot.models.person import Person
from bot.people import attributes, properties
from bot.team import permissions


@pages.get("/inbox/<int:conversation_id>")
def thread(conversation_id: int) -> ResponseReturnValue:
    return answering.page(conversation_id)


@pages.get("/inbox/<int:conversation_id>/live")
def live(conversation_id: int) -> ResponseReturnValue:
    """The moving parts of a thread, for a script that is not pushed to; 304 if nothing in them has changed."""
    with runtime.current().transaction() as tx:
        door.find(tx, conversation_id)
    facts = cast("Thread", pushing.glance(hub.thread(conversation_id), lambda: _look(conversation_id)))
    return door.unless_known(facts, "dashboard/_thread.html", **_beside(facts))


@pages.get("/inbox/<int:conversation_id>/stream")
def stream(conversation_id: int) -> ResponseReturnValue:
    """The same parts as server-sent events, one for each change."""
    with runtime.current().transaction() as tx:
        door.find(tx, conversation_id)

    def render(facts: object) -> str:
        return render_template("dashboard/_thread.html", **_beside(cast("Thread", facts)))

    return pushing.push(hub.thread(conversation_id), lambda: _look(conversation_id), render)


@pages.post("/inbox/<int:conversation_id>/presence")
def present(conversation_id: int) -> ResponseReturnValue:
    """The page's script says that it is looked at, that somebody types (`typing`), or that it is left (`gone`)."""
    rt, me = runtime.current(), access.operator().id
    with rt.transaction() as tx:
        door.find(tx, conversation_id)
        types = "typing" in request.form and permissions.may(access.operator().role, "inbox.reply")
        is_shown = types and receipts.typing(tx, conversation_id)
    if "gone" in request.form:
        presence.leave(rt.redis, conversation_id, me)
    else:
        presence.tell(rt.redis, conversation_id, me, is_typing="typing" in request.form)
    if is_shown:
        rt.ring("send")
    return jsonify(now=datetime.now(UTC).isoformat())


@pages.post("/inbox/<int:conversation_id>/read")
def mark_read(conversation_id: int) -> ResponseReturnValue:
    """With `quietly`, as the page's script asks, 204 instead of the page."""
    rt, last = runtime.current(), request.form.get("last", 0, type=int)
    with rt.transaction() as tx:
        door.find(tx, conversation_id)
        coach.mark_read(tx, conversation_id, last)
        notes.see(tx, conversation_id, access.operator().id)
        is_told = receipts.read(tx, conversation_id, last)
    if is_told:
        rt.ring("send")
    return ("", 204) if "quietly" in request.form else door.back(conversation_id)


@pages.get("/inbox/<int:conversation_id>/contact")
def contact(conversation_id: int) -> ResponseReturnValue:
    """The panel beside a thread: who it is, what is known, which segments; fetched when it is opened."""
    with runtime.current().transaction() as tx:
        found = door.find(tx, conversation_id)
        access.show_environment(found.environment)
        person = tx.get_one(Person, found.person_id)
        declared = properties.custom(tx, found.environment)
        return render_template(
            "dashboard/_contact.html",
            lacking=[(name, kind) for name, kind in declared.items() if person.attributes.get(name) is None],
            profile=profile.load(tx, person),
            formats=attributes.FORMATS,
            kinds=spoken(profile.KINDS),
        )


@pages.post("/inbox/<int:conversation_id>/close")
def close(conversation_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        door.find(tx, conversation_id)
        closed = threads.close(tx, conversation_id, access.operator().id)
    flash(_("Closed. It opens again by itself when the person writes.") if closed else _("It was closed already."))
    return door.back(conversation_id)


@pages.post("/inbox/<int:conversation_id>/reopen")
def reopen(conversation_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        door.find(tx, conversation_id)
        reopened = threads.reopen(tx, conversation_id, access.operator().id)
    flash(_("Reopened.") if reopened else _("It was open already."))
    return door.back(conversation_id)


def _look(conversation_id: int) -> Thread:
    """Runs in a thread of the process that pushes, without a request."""
    rt = runtime.current()
    with rt.transaction() as tx:
        return shown.load(tx, rt, conversation_id)


def _beside(facts: Thread) -> dict[str, object]:
    with runtime.current().transaction() as tx:
        return answering.beside_thread(tx, facts)
