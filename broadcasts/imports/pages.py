"""Pages: taking lists in, and the history of imports."""

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, select

from bot import phone, runtime
from bot.dashboard import access
from bot.models.connection import Number
from broadcasts.drafts import number_elsewhere
from broadcasts.imports import files, imports
from broadcasts.imports.dialects import DIALECTS
from broadcasts.imports.imports import ImportRefusedError, Listed
from broadcasts.labels import IMPORT
from broadcasts.segments import segments

pages = Blueprint("imports", __name__)


@pages.get("/imports/new")
def new() -> ResponseReturnValue:
    return _form({}, [])


@pages.post("/imports/new")
def upload() -> ResponseReturnValue:
    rt, form, file = runtime.current(), request.form, request.files.get("file")
    if not form.get("understood"):
        return _form(form, ["Tick the box below: what the file says replaces what was known of its people."]), 422
    if file is None or not file.filename:
        return _form(form, ["Choose a CSV file."]), 422
    try:
        with rt.transaction() as tx:
            run = imports.start(
                tx,
                environment=access.environment(),
                segment_name=form.get("segment", ""),
                dialect_name=form.get("dialect", ""),
                country=form.get("country"),
                file_name=file.filename,
                source=file.stream,
                operator_id=access.operator().id,
            )
    except ImportRefusedError as error:
        return _form(form, [str(error)]), 422
    rt.ring("bulk")
    return redirect(url_for("imports.show", import_id=run.id), 303)


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


def _download(data: Any, name: str) -> Response:  # noqa: ANN401 (an iterable of bytes)
    """Never shown in the browser, whatever it holds."""
    response = Response(data, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _form(given: Any, problems: list[str]) -> str:  # noqa: ANN401 (the form as sent, or nothing)
    with runtime.current().transaction() as tx:
        can_send = tx.scalar(select(exists().where(Number.environment == access.environment())))
        elsewhere = number_elsewhere(tx, access.environment())
        names = [listed.segment.name for listed in segments.every(tx, access.environment())]
    return render_template(
        "broadcasts/import_form.html",
        given=given,
        problems=problems,
        can_send=can_send,
        elsewhere=None if can_send else elsewhere,
        names=names,
        dialects=DIALECTS.values(),
        countries=phone.calling_codes().items(),
    )
