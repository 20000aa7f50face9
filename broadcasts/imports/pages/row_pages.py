"""Pages: the grid in which rows that were kept out are put right."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import runtime
from broadcasts.imports import mending, preview
from broadcasts.imports.imports import ImportRefusedError, Listed
from broadcasts.imports.mending import Mended
from broadcasts.imports.pages import grid
from broadcasts.imports.pages.pages import found_import
from broadcasts.imports.reading.problems import ProblemKind

PAGE = 25

_FIELD = re.compile(r"cell\.(\d{1,9})\.(\d{1,3})")

pages = Blueprint("import_rows", __name__)


@pages.get("/imports/<int:import_id>/rows")
def show(import_id: int) -> ResponseReturnValue:
    """`?kind=` one class of problem, else the most fundamental; `?row=` opens all cells of one row."""
    found = found_import(import_id)
    after, opened = request.args.get("after", 0, int), request.args.get("row", 0, int)
    with runtime.current().transaction() as tx:
        classes = preview.classes(tx, import_id)
        kind = _kind(classes)
        rows = preview.failed(tx, import_id, kind, after, PAGE + 1) if kind else []
    headers = [column["header"] for column in (found.run.findings or {}).get("columns", [])]
    return render_template(
        "broadcasts/import_rows.html",
        found=found,
        classes=classes,
        kind=kind,
        proposed=sum(each.proposed for each in classes if each.kind == kind),
        tabs=[_tab(found, each, kind) for each in classes],
        headers=headers,
        rows=grid.lay_out(rows[:PAGE], headers, opened),
        after=after,
        more=rows[PAGE - 1].row if len(rows) > PAGE else None,
    )


@pages.post("/imports/<int:import_id>/rows")
def heal(import_id: int) -> ResponseReturnValue:
    """Check again the rows of which a cell differs from what was kept, or the one of the button."""
    found = found_import(import_id)
    only = request.form.get("only", 0, int)
    edits = _edits(request.form, only)

    def mend() -> Mended:
        with runtime.current().transaction() as tx:
            return mending.mend(tx, import_id, edits, always=only > 0)

    _mend(mend)
    return redirect(url_for("import_rows.show", import_id=found.run.id, **_place()), 303)


@pages.post("/imports/<int:import_id>/rows/accept")
def accept(import_id: int) -> ResponseReturnValue:
    """Take every proposal of a class of problems."""
    found = found_import(import_id)
    kind = request.form.get("kind", "")
    if kind not in list(ProblemKind):
        abort(404)
    _mend(lambda: mending.accept_all(runtime.current(), found.run.id, ProblemKind(kind)))
    return redirect(url_for("import_rows.show", import_id=found.run.id), 303)


def _mend(work: Callable[[], Mended]) -> None:
    """Say what became of the rows, or why nothing could."""
    try:
        done = work()
    except ImportRefusedError as error:
        flash(str(error), "danger")
    else:
        flash(done.sentence, "message" if done.right else "warning")


def _place() -> dict[str, Any]:
    """Where in the grid somebody is: which kind of problem, after which row."""
    return {name: request.args[name] for name in ("kind", "after") if name in request.args}


def _kind(classes: Sequence[preview.ProblemClass]) -> ProblemKind | None:
    there = [each.kind for each in classes]
    asked = request.args.get("kind", "")
    return next((kind for kind in there if kind == asked), there[0] if there else None)


def _tab(found: Listed, each: preview.ProblemClass, shown: ProblemKind | None) -> tuple[str, str, bool, str]:
    href = url_for("import_rows.show", import_id=found.run.id, kind=each.kind.value)
    return href, each.kind.label, each.kind == shown, f"{each.rows:,}"


def _edits(form: Mapping[str, str], only: int) -> dict[int, dict[int, str]]:
    """Row → place → text, of the cells that the form holds; of one row alone if `only` names it."""
    found: dict[int, dict[int, str]] = {}
    for name, text in form.items():
        if (match := _FIELD.fullmatch(name)) and only in {0, int(match[1])}:
            found.setdefault(int(match[1]), {})[int(match[2])] = text
    return found
