"""REST for programs: the rows of a list that were kept out, put right; and its files."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, jsonify, request

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate, read_fields
from bot.api.refusals import RefusalError
from broadcasts.imports import downloads, imports, keeping, mending, preview
from broadcasts.imports.api import shapes
from broadcasts.imports.api.api import found_import
from broadcasts.imports.api.paging import number_of
from broadcasts.imports.imports import ImportRefusedError, Listed
from broadcasts.imports.mending import Mended
from broadcasts.imports.reading.problems import ProblemKind

PAGE = 100
MOST_ROWS = 500
"""In one request."""

MOST_PLACES = 200
LONGEST_CELL = 4096

api = refusals.blueprint("import_rows_api", __name__)


@api.get("/imports/<int:import_id>/rows")
def rows(import_id: int) -> Response:
    """Rows that were kept out, of one kind of problem or of all."""
    token = authenticate(("kind", "after", "limit"))
    after, limit = number_of("after", 0), number_of("limit", PAGE, most=MOST_ROWS)
    asked = request.args.get("kind")
    kind = None if asked is None else _kind(asked, "kind")
    with runtime.current().transaction() as session:
        found_import(session, token, import_id)
        return jsonify(shapes.rows(preview.failed(session, import_id, kind, after, limit + 1), limit))


@api.post("/imports/<int:import_id>/rows")
def heal(import_id: int) -> Response:
    """Check rows again: `{"rows": {"12": {"1": "+2010…"}}}`, cells by place, or `{"accept": "phone_form"}`."""
    token, rt = authenticate(), runtime.current()
    given = read_fields()
    with rt.transaction() as session:
        found_import(session, token, import_id)
    try:
        if set(given) == {"accept"}:
            done = mending.accept_all(rt, import_id, _kind(given["accept"], "accept"))
        else:
            done = _mend(import_id, _rows(given))
    except ImportRefusedError as error:
        raise RefusalError(409, "import_state", str(error)) from error
    return jsonify({"right": done.right, "wrong": done.wrong})


@api.get("/imports/<int:import_id>/original")
def original(import_id: int) -> Response:
    found = _with_file(import_id)
    return _stream(downloads.original(runtime.current().transaction, found), "application/octet-stream")


@api.get("/imports/<int:import_id>/comments")
def comments(import_id: int) -> Response:
    return _stream(imports.comments(runtime.current().transaction, _with_file(import_id)))


@api.get("/imports/<int:import_id>/rest")
def rest(import_id: int) -> Response:
    """The rows above the limit, as the next file to upload."""
    return _stream(imports.rest(runtime.current().transaction, _with_file(import_id)))


def _with_file(import_id: int) -> Listed:
    token = authenticate()
    with runtime.current().transaction() as session:
        found = found_import(session, token, import_id)
    if not found.has_file:
        raise RefusalError(410, "file_gone", keeping.GONE)
    return found


def _stream(data: Iterable[bytes], kind: str = "text/csv") -> Response:
    return Response(data, mimetype=kind)


def _mend(import_id: int, edits: Mapping[int, Mapping[int, str]]) -> Mended:
    with runtime.current().transaction() as session:
        return mending.mend(session, import_id, edits, always=True)


def _kind(word: object, field: str) -> ProblemKind:
    if word not in list(ProblemKind):
        raise RefusalError(422, "invalid_field", f"{field} must be one of {', '.join(ProblemKind)}.", field)
    return ProblemKind(str(word))


def _rows(given: Mapping[str, Any]) -> dict[int, dict[int, str]]:
    found = given.get("rows")
    if set(given) != {"rows"} or not isinstance(found, dict) or not 0 < len(found) <= MOST_ROWS:
        sentence = (
            f'Send {{"rows": {{"12": {{"1": "…"}}}}}}, {MOST_ROWS} at most, or {{"accept": "a kind of problem"}}.'
        )
        raise RefusalError(422, "invalid_field", sentence, "rows")
    return {_number(row, "rows"): _cells(row, cells) for row, cells in found.items()}


def _cells(row: str, cells: object) -> dict[int, str]:
    field = f"rows.{row[:20]}"
    if not isinstance(cells, dict):
        raise RefusalError(422, "invalid_field", f"{field} must be cells by their place, from 0.", field)
    for text in cells.values():
        if not isinstance(text, str) or len(text) > LONGEST_CELL or "\0" in text:
            raise RefusalError(
                422, "invalid_field", f"{field}: a cell is a text of {LONGEST_CELL:,} characters.", field
            )
    return {_number(place, field, most=MOST_PLACES): text for place, text in cells.items()}


def _number(text: str, field: str, most: int = 10**9) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or int(text) > most:
        raise RefusalError(422, "invalid_field", f"{field}: {text[:20]!r} is no row or place.", field)
    return int(text)
