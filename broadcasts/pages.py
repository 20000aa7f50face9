"""Pages: broadcasts from draft to the last receipt."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from broadcasts import showing
from broadcasts.control import pages as control_pages
from broadcasts.drafting import pages as compose_pages
from broadcasts.imports.pages import change_pages, file_pages, row_pages
from broadcasts.imports.pages import pages as import_pages
from broadcasts.labels import BROADCAST
from broadcasts.preflight import gap_pages, policy_pages, rate_pages
from broadcasts.preflight import pages as preflight_pages
from broadcasts.results import ledger_pages, listing, outcome_pages, recipient_pages
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
    preflight_pages.pages,
    gap_pages.pages,
    rate_pages.pages,
    policy_pages.pages,
    template_pages.pages,
)


@pages.get("/broadcasts")
def index() -> ResponseReturnValue:
    """`?state=`, `?name=` holds these words, `?before=` an id."""
    asked, words = request.args.get("state", ""), request.args.get("name", "").replace("\0", "").strip()
    state = asked if asked in BROADCAST else None
    before = request.args.get("before", 0, int)
    with runtime.current().transaction() as tx:
        page = listing.load(
            tx, access.environment(), state=state, words=words, before=before if 0 < before < 2**63 else None
        )
    states = [(name.value, label) for name, (label, _) in BROADCAST.items()]
    shown = {"page": page, "labels": BROADCAST, "states": states, "state": state, "words": words}
    return render_template("broadcasts/broadcasts.html", **shown)


@pages.get("/broadcasts/<int:broadcast_id>")
def show(broadcast_id: int) -> ResponseReturnValue:
    """A draft with its preview, or a launched broadcast with its ledger."""
    return showing.page(broadcast_id, [])
