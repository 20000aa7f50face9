"""Many conversations at once, closed and opened again by an undo; and whether a coach is away."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from bot import runtime
from bot.conversations import at_work, closing, finding
from bot.conversations.finding import Asked, Tab
from bot.dashboard import access
from bot.dashboard.inbox import door
from bot.dashboard.inbox.door import pages
from bot.language import _, figure, ngettext
from bot.models.conversation import Conversation
from bot.models.words import ConversationState


@pages.post("/inbox/close")
def close_many() -> ResponseReturnValue:
    """The conversations of `id`, or with `all` those of the list; MOST at a time, in batches."""
    rt, me = runtime.current(), access.operator().id
    asked = door.asked(access.environment())
    ids = _listed(asked) if "all" in request.form else _chosen()
    if not ids:
        flash(_("Nothing was chosen: tick the conversations to close."), "warning")
        return redirect(url_for("inbox.index"), 303)
    with rt.transaction() as tx:
        bulk_id = closing.begin(tx, asked.environment, me)
    closed = 0
    for batch in _batches(ids):
        with rt.transaction() as tx:
            closed += closing.close(tx, bulk_id, asked.environment, batch, me)
    if not closed:
        flash(_("They were closed already."))
        return redirect(url_for("inbox.index"), 303)
    flash(_said(closed, has_more="all" in request.form and len(ids) == closing.MOST))
    return redirect(url_for("inbox.index", undo=bulk_id), 303)


@pages.post("/inbox/close/<int:bulk_close_id>/undo")
def undo_close(bulk_close_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        again = closing.undo(tx, bulk_close_id, access.operator().id)
    if again is None:
        flash(_("It is too late to undo that: reopen the conversations one by one."), "warning")
    else:
        flash(
            ngettext(
                "%(count)s conversation is open again, as before.",
                "%(count)s conversations are open again, as before.",
                again,
                count=figure(again),
            )
        )
    return redirect(url_for("inbox.index"), 303)


@pages.post("/inbox/away")
def away() -> ResponseReturnValue:
    """With `is_away`, or back."""
    with runtime.current().transaction() as tx:
        at_work.leave(tx, access.operator().id, is_away="is_away" in request.form)
    return redirect(url_for("inbox.index"), 303)


def _chosen() -> Sequence[int]:
    given = request.form.getlist("id", type=int)
    if len(given) > closing.MOST:
        abort(413)
    return [id_ for id_ in given if 0 < id_ < 2**63]


def _listed(asked: Asked) -> Sequence[int]:
    """What is open of the list that was looked at."""
    if asked.tab is Tab.CLOSED:
        return ()
    with runtime.current().transaction() as tx:
        query = finding.page(tx, asked, datetime.now(UTC), None, select(Conversation.id))
        return tx.scalars(query.where(Conversation.state == ConversationState.OPEN).limit(closing.MOST)).all()


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), closing.AT_ONCE):
        yield ids[start : start + closing.AT_ONCE]


def _said(closed: int, *, has_more: bool) -> str:
    told = ngettext(
        "%(count)s conversation is closed.", "%(count)s conversations are closed.", closed, count=figure(closed)
    )
    if not has_more:
        return told
    rest = _("There are more: %(count)s are closed at a time.", count=figure(closing.MOST))
    return f"{told} {rest}"
