"""What somebody sees when it did not work: what happened, what to do, and the id under which the log has the rest."""

import traceback
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from flask import Flask, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from bot.dashboard.headers import request_id
from bot.language import later, translated
from bot.team import permissions

log = structlog.get_logger()

EXPLAINED: Mapping[int, tuple[str, str]] = {
    400: (later("That request could not be read"), later("Go back, check what you entered, and try again.")),
    401: (later("You are signed out"), later("Sign in again; nothing you did before is lost.")),
    403: (
        later("This is not yours to open"),
        later("Your role does not include this page. An admin can change that under Team."),
    ),
    404: (later("There is nothing here"), later("The address is mistyped, or what it showed is gone.")),
    405: (later("This address does not take that"), later("Go back to the page you came from and use its buttons.")),
    409: (later("Somebody was quicker"), later("Go back, reload the page, and look at how things stand now.")),
    413: (later("That is too large"), later("Send less at once: a page takes one megabyte, a file upload much more.")),
    429: (later("Too many tries"), later("Wait a little, then try again.")),
    500: (
        later("Something went wrong here"),
        later("It is not your fault. Try again; if it stays, give the id below to an admin."),
    ),
    503: (
        later("The database is away"),
        later("Backchat is running, but cannot reach its database. Try again in a minute."),
    ),
}
UNEXPLAINED = (later("That did not work"), later("Go back and try again."))
FORM_IS_OLD = later(
    "The form is too old or was opened before you signed in: go back, reload the page, and send it again."
)


def init(app: Flask) -> None:
    app.register_error_handler(HTTPException, _explain)
    app.register_error_handler(DataError, _refuse_value)
    for away in (OperationalError, InterfaceError, PoolTimeoutError):
        app.register_error_handler(away, _wait)
    app.register_error_handler(Exception, _apologise)


def _explain(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:  # a redirect raised as an exception
        return error.get_response()
    remedy = translated(FORM_IS_OLD) if isinstance(error, CSRFError) else _said_by_us(error)
    answer = make_response(_answer(error.code, remedy), error.code)
    for name, value in error.get_headers(request.environ):
        if name in {"Allow", "Retry-After"}:
            answer.headers[name] = value
    return answer


def _refuse_value(error: DataError) -> ResponseReturnValue:
    """A value of the request that no column can hold: an id beyond 64 bits, a NUL in a text."""
    log.warning("request.value_refused", request_id=request_id(), endpoint=request.endpoint, error=type(error).__name__)
    return make_response(_answer(400, None), 400)


def _wait(error: Exception) -> ResponseReturnValue:
    log.warning("request.database_away", request_id=request_id(), endpoint=request.endpoint, error=type(error).__name__)
    return make_response(_answer(503, None), 503, {"Retry-After": "5"})


def _apologise(error: Exception) -> ResponseReturnValue:
    """Log where it happened and of which type; never the text of the error, which may quote a message or a number."""
    where = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
    log.error(
        "request.failed", request_id=request_id(), endpoint=request.endpoint, error=type(error).__name__, where=where
    )
    return make_response(_answer(500, None), 500)


def _answer(code: int, remedy: str | None) -> ResponseReturnValue:
    title, usual = EXPLAINED.get(code, UNEXPLAINED)
    if _is_machine():
        return jsonify(
            {"error": {"code": HTTPStatus(code).name.lower(), "message": f"{title}.", "request_id": request_id()}}
        )
    return render_template(
        "dashboard/error.html",
        code=code,
        title=translated(title),
        remedy=remedy or translated(usual),
        request_id=request_id(),
    )


def _said_by_us(error: HTTPException) -> str | None:
    return error.description if error.description != type(error).description else None


def _is_machine() -> bool:
    return permissions.is_for_machines(request.endpoint) or request.path.startswith(("/api/", "/webhooks/"))
