"""Buttons of an import's page: confirm, check again with a country, cancel, undo."""

from collections.abc import Callable

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access
from broadcasts.imports import imports
from broadcasts.imports.imports import ImportRefusedError
from broadcasts.imports.pages.pages import found_import, page

pages = Blueprint("import_changes", __name__)


@pages.post("/imports/<int:import_id>/confirm")
def confirm(import_id: int) -> ResponseReturnValue:
    return _change(import_id, lambda tx: imports.confirm(tx, import_id, access.operator().id))


@pages.post("/imports/<int:import_id>/check-again")
def check_again(import_id: int) -> ResponseReturnValue:
    """With the country that the numbers suggest, or any other."""
    country = request.form.get("country", "")
    return _change(import_id, lambda tx: imports.check_again(tx, import_id, country))


@pages.post("/imports/<int:import_id>/cancel")
def cancel(import_id: int) -> ResponseReturnValue:
    return _change(import_id, lambda tx: imports.cancel(tx, import_id))


@pages.post("/imports/<int:import_id>/undo")
def undo(import_id: int) -> ResponseReturnValue:
    return _change(import_id, lambda tx: imports.undo(tx, import_id, access.operator().id))


def _change(import_id: int, change: Callable[[Session], object]) -> ResponseReturnValue:
    """409 with the reason where the import is not, or no longer, where that could be done."""
    found_import(import_id)
    rt = runtime.current()
    try:
        with rt.transaction() as tx:
            change(tx)
    except ImportRefusedError as error:
        return page(import_id, [str(error)]), 409
    rt.ring("bulk")
    return redirect(url_for("imports.show", import_id=import_id), 303)
