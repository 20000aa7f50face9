"""Pages: broadcasts from draft to the last receipt."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from bot.models.words import BroadcastState
from broadcasts import broadcasts, lifecycle, stopping
from broadcasts.broadcasts import AlreadyLaunchedError, BroadcastError, WrongStateError
from broadcasts.drafting import draft_pages
from broadcasts.drafting import pages as compose_pages
from broadcasts.imports.pages import change_pages, file_pages, row_pages
from broadcasts.imports.pages import pages as import_pages
from broadcasts.labels import BROADCAST
from broadcasts.results import ledger, ledger_pages, outcome_pages, recipient_pages
from broadcasts.results.ledger_pages import find
from broadcasts.templates import form_pages as template_pages
from broadcasts.transitions import Actor

pages = Blueprint("broadcasts", __name__)

_BEFORE = frozenset({BroadcastState.DRAFT, BroadcastState.APPROVAL, BroadcastState.SCHEDULED})
"""Of the launch: the page of what it will be."""

BLUEPRINTS = (
    pages,
    compose_pages.pages,
    ledger_pages.pages,
    recipient_pages.pages,
    import_pages.pages,
    change_pages.pages,
    file_pages.pages,
    row_pages.pages,
    outcome_pages.pages,
    template_pages.pages,
)


@pages.get("/broadcasts")
def index() -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        found = broadcasts.every(tx, access.environment(), request.args.get("before", None, int))
        counted = ledger.counts_of(tx, [each.id for each in found])
    more = found[-1].id if len(found) == broadcasts.PAGE else None
    return render_template("broadcasts/broadcasts.html", broadcasts=found, counts=counted, labels=BROADCAST, more=more)


@pages.get("/broadcasts/<int:broadcast_id>")
def show(broadcast_id: int) -> ResponseReturnValue:
    """A draft with its preview, or a launched broadcast with its ledger."""
    return _page(broadcast_id, [])


@pages.post("/broadcasts/<int:broadcast_id>/launch")
def launch(broadcast_id: int) -> ResponseReturnValue:
    rt = runtime.current()
    try:
        with rt.transaction() as tx:
            lifecycle.launch(tx, find(tx, broadcast_id).id, _me())
    except BroadcastError as error:
        return _refuse(broadcast_id, error)
    rt.ring("bulk")
    return _back(broadcast_id)


@pages.post("/broadcasts/<int:broadcast_id>/pause")
def pause(broadcast_id: int) -> ResponseReturnValue:
    """Answers when nothing is on its way any more, with exact numbers."""
    return _stop(stopping.pause, broadcast_id, "Paused")


@pages.post("/broadcasts/<int:broadcast_id>/cancel")
def cancel(broadcast_id: int) -> ResponseReturnValue:
    return _stop(stopping.cancel, broadcast_id, "Cancelled")


@pages.post("/broadcasts/<int:broadcast_id>/resume")
def resume(broadcast_id: int) -> ResponseReturnValue:
    rt = runtime.current()
    try:
        with rt.transaction() as tx:
            lifecycle.resume(tx, find(tx, broadcast_id).id, _me())
    except BroadcastError as error:
        return _refuse(broadcast_id, error)
    rt.ring("bulk")
    rt.ring("send")
    return _back(broadcast_id)


def _stop(change: Any, broadcast_id: int, done: str) -> ResponseReturnValue:  # noqa: ANN401 (pause or cancel)
    rt = runtime.current()
    with rt.transaction() as tx:
        find(tx, broadcast_id)
    try:
        counts = change(rt, broadcast_id, _me(), request.form.get("why", "").strip() or None)
    except BroadcastError as error:
        return _refuse(broadcast_id, error)
    still = f"; {counts.in_flight:,} still on their way" if counts.in_flight else ""
    flash(f"{done}: {counts.accepted:,} accepted, {counts.waiting:,} waiting, {counts.cancelled:,} cancelled{still}.")
    return _back(broadcast_id)


def _page(broadcast_id: int, problems: list[str]) -> str:
    with runtime.current().transaction() as tx:
        found = find(tx, broadcast_id)
        if found.state in _BEFORE:
            return draft_pages.page(tx, found, problems)
        return ledger_pages.page(tx, found, problems)


def _refuse(broadcast_id: int, error: BroadcastError) -> ResponseReturnValue:
    """409 where somebody else was quicker, 422 where something has to be put right first."""
    is_late = isinstance(error, AlreadyLaunchedError | WrongStateError)
    return _page(broadcast_id, str(error).splitlines()), 409 if is_late else 422


def _back(broadcast_id: int) -> ResponseReturnValue:
    return redirect(url_for("broadcasts.show", broadcast_id=broadcast_id), 303)


def _me() -> Actor:
    return Actor(operator_id=access.operator().id)
