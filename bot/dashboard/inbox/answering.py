"""What a coach sends from a thread: replies, templates, reactions, notes; as JSON where the page's script asks so."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import abort, flash, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from bot import live, runtime
from bot.conversations import asking, canned, coach, files, held, notes
from bot.conversations.asking import Asked
from bot.conversations.coach import NewMessageError, ReplyError, Said, ThreadClosedError, WindowClosedError
from bot.conversations.notes import NoteError
from bot.dashboard import access, bubbles
from bot.dashboard.inbox import beside, door, shown
from bot.dashboard.inbox.door import pages
from bot.dashboard.inbox.shown import Thread
from bot.language import _
from bot.media.shelf import new_draft, open_shelf

_CONFLICTS = (WindowClosedError, ThreadClosedError, NewMessageError)
_SLOT = "slot."


@pages.post("/inbox/<int:conversation_id>/reply")
def reply(conversation_id: int) -> ResponseReturnValue:
    form = request.form

    def send(tx: Session) -> int:
        said = Said(
            text=form.get("text", ""),
            buttons=tuple(form.getlist("button")),
            quotes=form.get("quotes", type=int),
            last_seen=form.get("last", type=int),
        )
        return coach.reply(tx, conversation_id, access.operator().id, said, form.get("key", ""))

    return _sent(conversation_id, send, shows=True)


@pages.post("/inbox/<int:conversation_id>/template")
def send_template(conversation_id: int) -> ResponseReturnValue:
    """A template that asks them back; with `text`, the reply that goes out by itself once they answer."""
    form, me = request.form, access.operator().id

    def send(tx: Session) -> int:
        message_id = asking.ask(tx, conversation_id, me, _asked(), form.get("key", ""))
        if form.get("text", "").strip():
            held.hold(tx, conversation_id, me, message_id, form["text"])
        return message_id

    return _sent(conversation_id, send)


@pages.get("/inbox/<int:conversation_id>/template")
def preview_template(conversation_id: int) -> ResponseReturnValue:
    """What the person would read, for the page's script."""
    with runtime.current().transaction() as tx:
        conversation = door.find(tx, conversation_id)
        try:
            text, problems = asking.preview(tx, conversation, _asked())
        except ReplyError as error:
            return make_response(str(error), 422)
    return render_template("dashboard/_template_preview.html", text=text, problems=problems)


@pages.post("/inbox/<int:conversation_id>/file")
def send_file(conversation_id: int) -> ResponseReturnValue:
    """A photo, video, audio file or document; what cannot be sent is refused with its limit."""
    rt, given = runtime.current(), request.files.get("file")

    def send(tx: Session) -> int:
        if given is None or not given.filename:
            raise ReplyError(_("There is no file yet: choose one."))
        shelf = open_shelf(rt.settings)
        draft = new_draft(shelf)
        kept = None
        try:
            given.save(draft)
            kept = files.Kept(shelf, given.filename, draft, rt.settings.media_max_bytes)
            caption, key = request.form.get("text", ""), request.form.get("key", "")
            return files.send(tx, conversation_id, access.operator().id, kept, caption, key)
        except ReplyError:
            if kept is not None:
                kept.forget()
            raise
        finally:
            draft.unlink(missing_ok=True)

    answer = _sent(conversation_id, send)
    rt.ring("media")
    return answer


@pages.post("/inbox/<int:conversation_id>/held/cancel")
def cancel_held(conversation_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        door.find(tx, conversation_id)
        was_waiting = held.cancel(tx, conversation_id)
    _tell(conversation_id)
    flash(
        _("The reply no longer waits.")
        if was_waiting
        else _("It waits no more: it has gone out, or was cancelled before.")
    )
    return door.back(conversation_id)


@pages.post("/inbox/<int:conversation_id>/react")
def react(conversation_id: int) -> ResponseReturnValue:
    target, emoji = request.form.get("message", 0, type=int), request.form.get("emoji", "")
    return _sent(
        conversation_id, lambda tx: coach.react(tx, conversation_id, access.operator().id, target, emoji), draft=""
    )


@pages.post("/inbox/<int:conversation_id>/note")
def note(conversation_id: int) -> ResponseReturnValue:
    """For colleagues: it is kept in the thread and sent to nobody."""
    form = request.form

    def write(tx: Session) -> int:
        try:
            return notes.write(tx, conversation_id, access.operator().id, form.get("text", ""), form.get("key", ""))
        except NoteError as error:
            raise ReplyError(str(error)) from error

    return _sent(conversation_id, write, rings=False)


@pages.get("/inbox/<int:conversation_id>/canned")
def offer_canned(conversation_id: int) -> ResponseReturnValue:
    """Answers at hand for what was typed after the slash, filled in for this person."""
    with runtime.current().transaction() as tx:
        offers = canned.offers(tx, door.find(tx, conversation_id), request.args.get("typed", ""))
    return jsonify([{"shortcut": each.shortcut, "text": each.text, "empty": each.empty} for each in offers])


def page(conversation_id: int, **said: Any) -> str:  # noqa: ANN401 (what the templates are told)
    """The whole page; what was not sent stands in its composer again."""
    rt, before, at = runtime.current(), door.number("before"), door.number("at")
    with rt.transaction() as tx:
        try:
            found = shown.load(tx, rt, conversation_id, before, at)
        except NoResultFound:
            abort(404)
        access.show_environment(found.environment)
        listed = beside.load(tx, found.environment)
        thread = beside_thread(tx, found, before=before, **said)
    return render_template("dashboard/inbox.html", **listed | thread)


def beside_thread(session: Session, found: Thread, **said: Any) -> dict[str, Any]:  # noqa: ANN401 (as above)
    """What dashboard/_thread.html asks for beside the thread itself."""
    choices = asking.choices(session, door.find(session, found.id)) if found.composer == "shut" else ()
    return {
        "thread": found,
        "others": [each for each in found.here if each.id != access.operator().id],
        "templates": choices,
        "reactions": coach.REACTIONS,
        "key": secrets.token_urlsafe(18),
        "told_at": datetime.now(UTC),
        "state": door.state(),
        "before": None,
        "draft": "",
        "refused": None,
        "last": found.timeline.newest_id,
        **said,
    }


def _sent(
    conversation_id: int,
    send: Callable[[Session], int],
    *,
    draft: str | None = None,
    rings: bool = True,
    shows: bool = False,
) -> ResponseReturnValue:
    """Whatever is refused keeps its text: in the answer's page, or on the page that asked for JSON."""
    rt, wants_json = runtime.current(), request.accept_mimetypes.best == "application/json"
    try:
        with rt.transaction() as tx:
            door.find(tx, conversation_id)
            message_id = send(tx)
            bubble = bubbles.of(tx, message_id, access.operator().name) if shows and wants_json else None
    except ReplyError as error:
        status = 409 if isinstance(error, _CONFLICTS) else 422
        newest = error.newest if isinstance(error, NewMessageError) else None
        if wants_json:
            return make_response(jsonify(error=str(error), newest=newest), status)
        kept = request.form.get("text", "") if draft is None else draft
        seen = {} if newest is None else {"last": newest, "is_asked": True}
        return make_response(
            page(conversation_id, draft=kept, refused=str(error), key=request.form.get("key", ""), **seen), status
        )
    if rings:
        rt.ring("send")
    _tell(conversation_id)
    if not wants_json:
        return door.back(conversation_id)
    if bubble is None:
        return jsonify(id=message_id)
    return jsonify(id=message_id, shown=render_template("dashboard/_sent.html", entry=bubble))


def _tell(conversation_id: int) -> None:
    live.publish(runtime.current().redis, live.thread(conversation_id))


def _asked() -> Asked:
    """From a form or an address: the template's id, and `slot.<name>` for each place."""
    slots = {name.removeprefix(_SLOT): text for name, text in request.values.items() if name.startswith(_SLOT)}
    return Asked(request.values.get("template", 0, type=int), {name: text for name, text in slots.items() if text})
