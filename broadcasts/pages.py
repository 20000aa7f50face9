"""Pages: broadcasts from draft to the last receipt."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from broadcasts import broadcasts, control_pages, lifecycle, showing
from broadcasts.broadcasts import BroadcastError
from broadcasts.drafting import pages as compose_pages
from broadcasts.imports.pages import change_pages, file_pages, row_pages
from broadcasts.imports.pages import pages as import_pages
from broadcasts.labels import BROADCAST
from broadcasts.results import ledger, ledger_pages, outcome_pages, recipient_pages
from broadcasts.results.ledger_pages import find
from broadcasts.templates import form_pages as template_pages

pages = Blueprint("broadcasts", __name__)

BLUEPRINTS = (
    pages,
    compose_pages.pages,
    control_pages.pages,
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
    return showing.page(broadcast_id, [])


@pages.post("/broadcasts/<int:broadcast_id>/launch")
def launch(broadcast_id: int) -> ResponseReturnValue:
    rt = runtime.current()
    try:
        with rt.transaction() as tx:
            lifecycle.launch(tx, find(tx, broadcast_id).id, showing.me())
    except BroadcastError as error:
        return showing.refuse(broadcast_id, error)
    rt.ring("bulk")
    return showing.back(broadcast_id)
