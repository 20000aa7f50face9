"""Pages: taking lists in, and the history of imports."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from bot import phone, runtime
from bot.dashboard import access
from bot.models.connection import Number
from bot.models.words import Channel
from bot.people.attributes import FORMATS
from bot.team.permissions import may
from broadcasts.drafts import number_elsewhere
from broadcasts.imports import files, imports, wording
from broadcasts.imports.dialects import DIALECTS
from broadcasts.imports.imports import ImportRefusedError, Listed
from broadcasts.labels import IMPORT
from broadcasts.segments import segments

MOST_FILES = 20
"""In one upload."""

pages = Blueprint("imports", __name__)


@pages.get("/imports/new")
def new() -> ResponseReturnValue:
    return _form({}, [])


@pages.post("/imports/new")
def upload() -> ResponseReturnValue:
    """Each file is an import of its own; the good ones go on, whatever is wrong with the others."""
    form = request.form
    chosen = [file for file in request.files.getlist("file") if file.filename]
    if problem := _unready(form, chosen):
        return _form(form, [problem]), 422
    runs, refusals = [], []
    for file in chosen:
        try:
            runs.append(_start(form, file))
        except ImportRefusedError as error:
            refusals.append(f"{files.display_name(file.filename or '')}: {error}" if len(chosen) > 1 else str(error))
    if not runs:
        return _form(form, refusals), 422
    runtime.current().ring("bulk")
    for refusal in refusals:
        flash(f"Not taken: {refusal}", "danger")
    if len(chosen) == 1:
        return redirect(url_for("imports.show", import_id=runs[0]), 303)
    return redirect(url_for("imports.together", run=runs), 303)


def _unready(form: Mapping[str, str], chosen: Sequence[FileStorage]) -> str | None:
    """What must be put right before any file is looked at."""
    if not form.get("understood"):
        return "Tick the box below: what the file says replaces what was known of its people."
    if form.get("channel", Channel.WHATSAPP) != Channel.WHATSAPP:
        return "Choose WhatsApp as the channel: people are written to by no other."
    if not chosen:
        return "Choose a file: CSV, TSV or XLSX."
    if len(chosen) > MOST_FILES:
        return f"{len(chosen)} files at once are too many: {MOST_FILES} are the most."
    with runtime.current().transaction() as tx:
        if not _can_send(tx):
            return "There is no WhatsApp number in this environment: set one up under Connections first."
    return None


def _start(form: Mapping[str, str], file: FileStorage) -> int:
    """The id of the new import; raises ImportRefusedError."""
    with runtime.current().transaction() as tx:
        return imports.start(
            tx,
            environment=access.environment(),
            segment_name=form.get("segment", ""),
            dialect_name=form.get("dialect", ""),
            country=form.get("country"),
            file_name=file.filename or "",
            source=file.stream,
            operator_id=access.operator().id,
        ).id


@pages.get("/imports/together")
def together() -> ResponseReturnValue:
    """Files that were uploaded at once, each with how far it is."""
    return _together("imports_together")


@pages.get("/imports/together/live")
def together_live() -> ResponseReturnValue:
    """The part of that page that moves, for its script."""
    return _together("_imports_together")


@pages.get("/imports")
def index() -> ResponseReturnValue:
    with runtime.current().transaction() as tx:
        found = imports.history(tx, access.environment(), before=request.args.get("before", None, int))
    more = found[-1].run.id if len(found) == imports.PAGE else None
    return render_template("broadcasts/imports.html", imports=found, labels=IMPORT, more=more)


@pages.get("/imports/<int:import_id>")
def show(import_id: int) -> ResponseReturnValue:
    found = _import(import_id)
    with runtime.current().transaction() as tx:
        rejected = imports.rejected(tx, import_id, limit=20)
    return render_template("broadcasts/import.html", found=found, labels=IMPORT, rejected=rejected)


@pages.get("/imports/<int:import_id>/live")
def live(import_id: int) -> ResponseReturnValue:
    """The part of an import's page that moves, for its script."""
    return render_template("broadcasts/_import.html", found=_import(import_id), labels=IMPORT)


@pages.get("/imports/<int:import_id>/original")
def original(import_id: int) -> ResponseReturnValue:
    """The file as it was uploaded, byte for byte."""
    found = _import(import_id)
    file = files.open_file(runtime.current().transaction, found.run.file_id)
    data = iter(lambda: file.read(files.PIECE_BYTES), b"")
    return _download(data, found.file.name)


@pages.get("/imports/<int:import_id>/comments")
def comments(import_id: int) -> ResponseReturnValue:
    """The rows that were kept out, with a column that says why."""
    found = _import(import_id)
    data = imports.comments(runtime.current().transaction, found)
    return _download(data, f"comments on {found.file.name.rsplit('.', 1)[0]}.csv")


def _import(import_id: int) -> Listed:
    with runtime.current().transaction() as tx:
        found = imports.one(tx, import_id)
    if found is None:
        abort(404)
    access.show_environment(found.run.environment)
    return found


def _together(template: str) -> str:
    ids = request.args.getlist("run", type=int)[:MOST_FILES]
    with runtime.current().transaction() as tx:
        found = [listed for each in ids if abs(each) < 2**63 and (listed := imports.one(tx, each))]
    found = [listed for listed in found if listed.run.environment == access.environment()]
    if not found:
        abort(404)
    is_moving = any(listed.run.state in wording.MOVING for listed in found)
    return render_template(f"broadcasts/{template}.html", found=found, labels=IMPORT, is_moving=is_moving)


def _download(data: Any, name: str) -> Response:  # noqa: ANN401 (an iterable of bytes)
    """Never shown in the browser, whatever it holds."""
    response = Response(data, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _can_send(tx: Session) -> bool:
    return bool(tx.scalar(select(exists().where(Number.environment == access.environment()))))


def _form(given: Mapping[str, str], problems: list[str]) -> str:
    with runtime.current().transaction() as tx:
        can_send = _can_send(tx)
        elsewhere = number_elsewhere(tx, access.environment())
        names = [listed.segment.name for listed in segments.every(tx, access.environment())]
    return render_template(
        "broadcasts/import_form.html",
        given=given,
        problems=problems,
        can_send=can_send,
        may_connect=may(access.operator().role, "connections.index"),
        elsewhere=None if can_send else elsewhere,
        names=names,
        dialects=[(DIALECTS[name], words) for name, words in wording.DIALECTS.items() if name in DIALECTS],
        formats=FORMATS.items(),
        countries=phone.calling_codes().items(),
        largest=files.LARGEST_BYTES // 1024**2,
    )
