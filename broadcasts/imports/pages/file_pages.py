"""Downloads of imports: the file as it was uploaded, its rows with comments, the next file, a sample to start from."""

from collections.abc import Iterable

from flask import Blueprint, Response, abort, request

from bot import runtime
from bot.dashboard import access
from bot.dashboard.downloads import note
from bot.language import translated
from bot.people import properties
from broadcasts.imports import downloads, imports, keeping
from broadcasts.imports.imports import Listed
from broadcasts.imports.pages.pages import found_import
from broadcasts.imports.reading import sample
from broadcasts.imports.reading.dialects import AUTO, DIALECTS

pages = Blueprint("import_files", __name__)


@pages.get("/imports/<int:import_id>/original")
def original(import_id: int) -> Response:
    """The file as it was uploaded, byte for byte."""
    found = _with_file(import_id)
    return _download(downloads.original(runtime.current().transaction, found), found.file.name)


@pages.get("/imports/<int:import_id>/comments")
def comments(import_id: int) -> Response:
    """The rows that were kept out, with a column that says why."""
    found = _with_file(import_id)
    data = imports.comments(runtime.current().transaction, found)
    return _download(data, f"comments on {_stem(found.file.name)}.csv")


@pages.get("/imports/<int:import_id>/rest")
def rest(import_id: int) -> Response:
    """The rows above the limit, as the next file to upload."""
    found = _with_file(import_id)
    data = imports.rest(runtime.current().transaction, found)
    return _download(data, f"rest of {_stem(found.file.name)}.csv")


@pages.get("/imports/sample")
def sample_file() -> Response:
    """A file of the right form with the environment's own attributes; `?dialect=` says of which kind."""
    dialect = DIALECTS.get(request.args.get("dialect", AUTO.name)) or abort(404)
    with runtime.current().transaction() as tx:
        known = properties.custom(tx, access.environment())
    return _download(sample.as_csv(dialect, known), f"sample {dialect.name}.csv")


def _with_file(import_id: int) -> Listed:
    """The import; 410 once its file is no longer kept."""
    found = found_import(import_id)
    return found if found.has_file else abort(410, translated(keeping.GONE))


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0]


def _download(data: Iterable[bytes], name: str) -> Response:
    """Never shown in the browser, whatever it holds and whatever it is called."""
    note()
    response = Response(data, mimetype="application/octet-stream" if name.lower().endswith(".xlsx") else "text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
