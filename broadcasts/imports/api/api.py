"""REST for programs: lists of people, from the upload to the undo; docs/api.md is its manual."""

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify
from sqlalchemy.orm import Session

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate
from bot.api.refusals import RefusalError
from bot.api.requests import LARGEST_ID
from bot.models.team import ApiToken
from broadcasts.imports import imports, uploading
from broadcasts.imports.api import shapes
from broadcasts.imports.api.paging import number_of
from broadcasts.imports.imports import ImportRefusedError, Listed

MOST = 200
"""Imports in one answer."""

api = refusals.blueprint("imports_api", __name__)


@api.post("/imports")
def upload() -> Response:
    """Multipart with a `file`, or the file itself as the body and the rest in the query."""
    token = authenticate(uploading.OPTIONS)
    asked, source = uploading.read()
    rt = runtime.current()
    with source, rt.transaction() as session:
        run_id = uploading.start(session, token, asked, source)
        told = shapes.whole(session, found_import(session, token, run_id))
    rt.ring("bulk")
    answer = jsonify(told)
    answer.status_code = 202
    answer.headers["Location"] = f"{refusals.PREFIX}/imports/{run_id}"
    return answer


@api.get("/imports")
def index() -> Response:
    token = authenticate(("before", "limit"))
    before, limit = number_of("before", LARGEST_ID), number_of("limit", imports.PAGE, most=MOST)
    with runtime.current().transaction() as session:
        found = imports.history(session, token.environment, before=before, limit=limit + 1)
    more = found[limit - 1].run.id if len(found) > limit > 0 else None
    return jsonify({"imports": [shapes.line(each) for each in found[:limit]], "before": more})


@api.get("/imports/<int:import_id>")
def show(import_id: int) -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify(shapes.whole(session, found_import(session, token, import_id)))


@api.post("/imports/<int:import_id>/confirm")
def confirm(import_id: int) -> Response:
    return _change(import_id, lambda session: imports.confirm(session, import_id, None))


@api.post("/imports/<int:import_id>/cancel")
def cancel(import_id: int) -> Response:
    return _change(import_id, lambda session: imports.cancel(session, import_id))


@api.post("/imports/<int:import_id>/undo")
def undo(import_id: int) -> Response:
    return _change(import_id, lambda session: imports.undo(session, import_id, None))


def _change(import_id: int, change: Callable[[Session], object]) -> Response:
    token, rt = authenticate(), runtime.current()
    try:
        with rt.transaction() as session:
            found_import(session, token, import_id)
            change(session)
            session.flush()
            session.expire_all()
            told: dict[str, Any] = shapes.whole(session, found_import(session, token, import_id))
    except ImportRefusedError as error:
        raise RefusalError(409, "import_state", str(error)) from error
    rt.ring("bulk")
    return jsonify(told)


def found_import(session: Session, token: ApiToken, import_id: int) -> Listed:
    found, environment = imports.one(session, min(import_id, LARGEST_ID)), token.environment
    if found is None or found.run.environment != environment:
        raise RefusalError(404, "unknown_import", f"There is no such import in {environment}.")
    return found
