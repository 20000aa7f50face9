"""Page: what operators have to know of accounts and numbers, and the button that says one has dealt with it."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.connections import alerts
from bot.dashboard import access
from bot.models.words import Severity
from webhooks import quarantine

pages = Blueprint("alerts", __name__)

LABELS: Mapping[str, tuple[str, str]] = {
    Severity.CRITICAL: ("Critical", "bad"),
    Severity.WARNING: ("Warning", "warn"),
    Severity.INFO: ("News", "quiet"),
}
"""Label and tone of each severity."""


@pages.get("/alerts")
def index() -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        return render_template(
            "webhooks/alerts.html",
            open=alerts.open_(tx),
            gone=alerts.lately(tx),
            labels=LABELS,
            in_quarantine=quarantine.count_open(tx),
        )


@pages.post("/alerts/<int:alert_id>/resolve")
def resolve(alert_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        is_done = alerts.resolve(tx, alert_id, access.operator().id)
    flash("Marked as dealt with." if is_done else "Somebody has dealt with it already.")
    return redirect(url_for("alerts.index"), 303)
