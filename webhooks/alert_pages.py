"""Page: what operators have to know of accounts and numbers, and the button that says one has dealt with it."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.connections import alerts
from bot.connections.alerts import Listed
from bot.dashboard import access, downloads
from bot.language import _, later
from bot.models.words import Severity
from webhooks import alert_words, quarantine

pages = Blueprint("alerts", __name__)

LABELS: Mapping[str, tuple[str, str]] = {
    Severity.CRITICAL: (later("Critical"), "bad"),
    Severity.WARNING: (later("Warning"), "warn"),
    Severity.INFO: (later("News"), "quiet"),
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
            said=alert_words.said,
            in_quarantine=quarantine.count_open(tx),
        )


@pages.get("/alerts.csv")
def export() -> ResponseReturnValue:
    """What is to be dealt with, and what is gone of the last 30 days."""
    with runtime.current().transaction() as tx:
        found = [*alerts.open_(tx), *alerts.lately(tx)]
    header = ("id", "occurred_at", "severity", "kind", "text", "connection", "number", "event", "dealt_with_at", "by")
    return downloads.csv("alerts", header, map(_cells, found))


def _cells(row: Listed) -> Sequence[object]:
    alert = row.alert
    told = (alert.id, alert.occurred_at, alert.severity, alert.kind, alert.text, row.connection, row.number)
    return (*told, alert.webhook_event_id, alert.resolved_at, row.resolved_by)


@pages.post("/alerts/<int:alert_id>/resolve")
def resolve(alert_id: int) -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        is_done = alerts.resolve(tx, alert_id, access.operator().id)
    flash(_("Marked as dealt with.") if is_done else _("Somebody has dealt with it already."))
    return redirect(url_for("alerts.index"), 303)
