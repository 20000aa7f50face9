"""Page: raw data as Parquet. A worker makes one ZIP at a time; each that is asked for and taken is written down."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from bot.dashboard import access
from bot.dashboard.attachments import size_words
from bot.insights.bigquery import problems, runs
from bot.insights.export import orders
from bot.insights.export.orders import OrderError
from bot.insights.export.tables import TABLES
from bot.language import later
from bot.media.shelf import NoSuchFileError, ShelfError, open_shelf
from bot.models.export import RawExport
from bot.models.words import RawExportState as State
from bot.team import audit
from bot.team.audit import Action

pages = Blueprint("raw_data", __name__)

STATES = {
    State.WAITING: (later("waits for a worker"), "quiet"),
    State.RUNNING: (later("being made"), "busy"),
    State.FINISHED: (later("ready"), "good"),
    State.FAILED: (later("failed"), "bad"),
    State.EXPIRED: (later("deleted"), "quiet"),
}


@pages.get("/insights/raw-data")
def index() -> str:
    return render_template("dashboard/raw_data.html", **_shown())


@pages.get("/insights/raw-data/live")
def live() -> str:
    """The part that moves, for its script."""
    return render_template("dashboard/_raw_data.html", **_shown())


@pages.post("/insights/raw-data")
def order() -> ResponseReturnValue:
    is_pseudonymised = request.form.get("people") != "whole"
    whole = request.form.get("what") == "whole"
    rt, environment = runtime.current(), access.environment().value
    try:
        with rt.transaction() as tx:
            made = orders.order(tx, environment, access.operator().id, is_pseudonymised=is_pseudonymised, whole=whole)
            told = {"environment": environment, "pseudonymised": is_pseudonymised, "since": made.since_id}
            audit.note(tx, access.by(), Action.EXPORT_ASKED, f"raw data {made.id}", after=told)
    except OrderError as error:
        return render_template("dashboard/raw_data.html", problem=str(error), **_shown()), 409
    rt.ring("export")
    return redirect(url_for("raw_data.index"), 303)


@pages.get("/insights/raw-data/bigquery")
def bigquery() -> str:
    """The part that moves, for its script."""
    return render_template("dashboard/_bigquery.html", **_sent())


@pages.post("/insights/raw-data/bigquery")
def send() -> ResponseReturnValue:
    rt = runtime.current()
    destination = rt.settings.bigquery_destination
    if destination is None:
        abort(404)
    with rt.transaction() as tx:
        runs.ask(tx, destination, access.by())
    rt.ring("export")
    return redirect(url_for("raw_data.index"), 303)


@pages.get("/insights/raw-data/<int:export_id>.zip")
def download(export_id: int) -> Response:
    rt = runtime.current()
    with rt.transaction() as tx:
        found = tx.get(RawExport, export_id)
        if found is None or found.storage_key is None or found.size is None:
            abort(404)
        access.show_environment(found.environment)
        try:
            pieces = open_shelf(rt.settings).read(found.storage_key, 0, found.size)
        except NoSuchFileError:
            abort(404)
        except ShelfError as error:
            abort(503, str(error))
        audit.note(tx, access.by(), Action.EXPORTED, f"raw data {export_id}")
    response = Response(pieces, mimetype="application/zip")
    response.content_length = found.size
    kind = "pseudonyms" if found.is_pseudonymised else "whole"
    name = f"backchat-{found.environment}-{kind}-{found.created_at:%Y-%m-%d}-{export_id}.zip"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _shown() -> dict[str, object]:
    rt = runtime.current()
    with rt.transaction() as tx:
        listed = orders.listed(tx, access.environment().value)
    is_moving = any(each.state in {State.WAITING, State.RUNNING} for each, _ in listed)
    return {
        "listed": listed,
        "is_moving": is_moving,
        "states": STATES,
        "days": orders.KEPT_DAYS,
        "size_words": size_words,
        **_sent(),
    }


def _sent() -> dict[str, object]:
    rt = runtime.current()
    with rt.transaction() as tx:
        found = runs.status(tx, rt.settings)
    problem = found.under_way.problem if found is not None and found.under_way is not None else None
    return {"bigquery": found, "tables": len(TABLES), "held_up": problems.sentence(problem) if problem else None}
