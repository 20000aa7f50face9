"""How the API says no: always JSON, `{"error": {"code", "message", "field"?}}`, whoever inside raised it."""

from collections.abc import Mapping

import structlog
from flask import Blueprint, Response, g, json, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from bot import runtime
from bot.team import hiding

log = structlog.get_logger()

PREFIX = "/api/v1"

CODES: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be read."),
    404: ("not_found", "There is nothing at this address: docs/api.md lists what there is."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "The body is too large: 65,536 bytes at most."),
    415: ("unsupported_media_type", "The body must be JSON: send Content-Type: application/json."),
}
"""HTTP status → our code and what to say, for what Flask refuses by itself."""


class RefusalError(Exception):
    """An answer other than the one hoped for; `field` is where in the body, as `to.distinct_id`."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.field = status, code, message, field


def invalid(field: str | None, message: str) -> RefusalError:
    """A field that cannot be what it is; None for the whole body."""
    return RefusalError(422, "invalid_field" if field else "invalid_body", message, field)


def blueprint(name: str, module: str) -> Blueprint:
    """Addresses about one noun, below the same prefix and with the same way of saying no."""
    made = Blueprint(name, module, url_prefix=PREFIX)
    _register(made)
    return made


def init(api: Blueprint) -> None:
    """As `blueprint`, and addresses below the prefix that nobody serves are refused as JSON too; for one of them."""
    _register(api)

    @api.before_app_request
    def refuse_unrouted() -> ResponseReturnValue | None:
        error = request.routing_exception
        if error is None or error.code is None or error.code < 400 or not request.path.startswith(f"{PREFIX}/"):
            return None
        return _explain(error)


def _register(api: Blueprint) -> None:
    api.register_error_handler(RefusalError, _refuse)
    api.register_error_handler(HTTPException, _explain)
    for away in (OperationalError, InterfaceError, PoolTimeoutError):
        api.register_error_handler(away, _wait)
    api.register_error_handler(Exception, _apologise)
    api.after_request(_mask)


def _mask(answer: Response) -> Response:
    """Phone numbers and e-mail addresses, for a token whose scopes leave them out; `authenticate` says so."""
    if not g.get("masks") or answer.status_code == 204:
        return answer
    if answer.is_streamed or answer.mimetype != "application/json":
        answer.close()
        return _answer(403, "missing_scope", "This cannot be sent without the scope people.see_contact.")
    hide = hiding.hider(runtime.current())
    answer.set_data(json.dumps(hiding.everywhere(json.loads(answer.get_data()), hide)))
    return answer


def _refuse(error: RefusalError) -> Response:
    answer = _answer(error.status, error.code, error.message, error.field)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _explain(error: HTTPException) -> Response:
    status = error.code or 400
    code, message = CODES.get(status, CODES[400])
    answer = _answer(status, code, message)
    for name, value in error.get_headers(request.environ):
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _wait(error: Exception) -> Response:
    log.warning("api.database_away", endpoint=request.endpoint, error=type(error).__name__)
    answer = _answer(
        503, "unavailable", "The database is away: try again soon; with the same Idempotency-Key nothing is sent twice."
    )
    answer.headers["Retry-After"] = "5"
    return answer


def _apologise(error: Exception) -> Response:
    log.error("api.failed", endpoint=request.endpoint, exc_info=error)
    return _answer(500, "internal", "Something went wrong here; the log says what. It is not known to be sent.")


def _answer(status: int, code: str, message: str, field: str | None = None) -> Response:
    told = {"code": code, "message": message}
    answer = jsonify({"error": told if field is None else {**told, "field": field}})
    answer.status_code = status
    return answer
