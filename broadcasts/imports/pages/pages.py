"""Pages: taking lists in, and the history of imports."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from bot import phone, runtime
from bot.connections import numbers
from bot.dashboard import access
from bot.language import _, translated
from bot.models.connection import Number
from bot.models.words import Channel, ImportState
from bot.people.attributes import FORMATS
from bot.team.permissions import may
from broadcasts.imports import files, imports, keeping, preview, undo, wording
from broadcasts.imports.imports import ImportRefusedError, Listed
from broadcasts.imports.reading.dialects import DIALECTS
from broadcasts.labels import IMPORT
from broadcasts.segments import segments

MOST_FILES = 20
"""In one upload."""

_WITH_ROWS = frozenset({ImportState.READY, ImportState.FINISHED, ImportState.FAILED, ImportState.CANCELLED})
"""States in which rows that are kept out can be looked at."""

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
        flash(_("Not taken: %(refusal)s", refusal=refusal), "danger")
    if len(chosen) == 1:
        return redirect(url_for("imports.show", import_id=runs[0]), 303)
    return redirect(url_for("imports.together", run=runs), 303)


def _unready(form: Mapping[str, str], chosen: Sequence[FileStorage]) -> str | None:
    """What must be put right before any file is looked at."""
    if not form.get("understood"):
        return _("Tick the box below: what the file says replaces what was known of its people.")
    if form.get("channel", Channel.WHATSAPP) != Channel.WHATSAPP:
        return _("Choose WhatsApp as the channel: people are written to by no other.")
    if not chosen:
        return _("Choose a file: CSV, TSV or XLSX.")
    if len(chosen) > MOST_FILES:
        return _(
            "%(count)s files at once are too many: %(most_files)s are the most.",
            count=len(chosen),
            most_files=MOST_FILES,
        )
    with runtime.current().transaction() as tx:
        if not _can_send(tx):
            return _("There is no WhatsApp number in this environment: set one up under Connections first.")
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
            confirmed=False,
            erases_blanks=bool(form.get("erases_blanks")),
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
        authors = {listed.run.id: preview.author(tx, listed.run) for listed in found}
    more = found[-1].run.id if len(found) == imports.PAGE else None
    return render_template("broadcasts/imports.html", imports=found, labels=IMPORT, more=more, authors=authors)


@pages.get("/imports/<int:import_id>")
def show(import_id: int) -> ResponseReturnValue:
    return page(import_id, [])


@pages.get("/imports/<int:import_id>/live")
def live(import_id: int) -> ResponseReturnValue:
    """The part of an import's page that moves, for its script."""
    return render_template("broadcasts/_import.html", **_moving(found_import(import_id)))


def found_import(import_id: int) -> Listed:
    """The import of a page's address, whose environment the page then shows; 404 without."""
    with runtime.current().transaction() as tx:
        found = imports.one(tx, import_id)
    if found is None:
        abort(404)
    access.show_environment(found.run.environment)
    return found


def page(import_id: int, problems: Sequence[str]) -> str:
    """The page of one import, with what stands in the way of what was just asked for."""
    found = found_import(import_id)
    with runtime.current().transaction() as tx:
        shown = {
            "problems": problems,
            "classes": preview.classes(tx, import_id) if found.run.state in _WITH_ROWS else (),
            "table": preview.first_rows(tx, found.run),
            "author": preview.author(tx, found.run),
            "undoer": preview.undoer(tx, found.run),
        }
    return render_template(
        "broadcasts/import.html",
        **_moving(found),
        **shown,
        people=found.run.will_create + found.run.will_update,
        file_facts=wording.file_facts(found.run),
        becomes=preview.column_name,
        calling_codes=phone.calling_codes(),
        damage_words=wording.DAMAGE,
        verdicts=wording.VERDICTS,
        undo_words=wording.undo(found.run),
        gone_words=translated(keeping.GONE),
    )


def _moving(found: Listed) -> dict[str, Any]:
    return {
        "found": found,
        "labels": IMPORT,
        "pace": preview.pace(found.run, datetime.now(UTC)),
        "is_moving": found.run.state in wording.MOVING,
        "kept_words": undo.KEPT,
    }


def _together(template: str) -> str:
    ids = request.args.getlist("run", type=int)[:MOST_FILES]
    with runtime.current().transaction() as tx:
        found = [listed for each in ids if abs(each) < 2**63 and (listed := imports.one(tx, each))]
    found = [listed for listed in found if listed.run.environment == access.environment()]
    if not found:
        abort(404)
    is_moving = any(listed.run.state in wording.MOVING for listed in found)
    return render_template(f"broadcasts/{template}.html", found=found, labels=IMPORT, is_moving=is_moving)


def _can_send(tx: Session) -> bool:
    return bool(tx.scalar(select(exists().where(Number.environment == access.environment()))))


def _form(given: Mapping[str, str], problems: list[str]) -> str:
    with runtime.current().transaction() as tx:
        can_send = _can_send(tx)
        elsewhere = numbers.elsewhere(tx, access.environment())
        names = [listed.segment.name for listed in segments.every(tx, access.environment())]
    return render_template(
        "broadcasts/import_form.html",
        given=given,
        problems=problems,
        can_send=can_send,
        may_connect=may(access.operator().role, "connections.index"),
        elsewhere=None if can_send else elsewhere,
        names=names,
        dialects=[(DIALECTS[name], words) for name, words in wording.DIALECTS.items()],
        limits={name: dialect.limit(runtime.current().settings) for name, dialect in DIALECTS.items()},
        formats=FORMATS.items(),
        countries=phone.calling_codes().items(),
        largest=files.LARGEST_BYTES // 1024**2,
    )
