"""REST for programs, version 1; docs/api.md is its manual."""

from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import select

from bot import runtime
from bot.api import refusals, shapes
from bot.api.refusals import RefusalError
from bot.api.requests import LARGEST_ID, read_key, read_message
from bot.api.sending import send
from bot.models.message import Message
from bot.models.team import ApiToken
from bot.team import tokens

LARGEST_BODY = 65_536

api = Blueprint("api", __name__, url_prefix="/api/v1")
refusals.init(api)


@api.post("/messages")
def send_message() -> Response:
    token = _authenticate()
    if request.mimetype != "application/json":
        raise RefusalError(415, *refusals.CODES[415])
    request.max_content_length = LARGEST_BODY
    asked = read_message(request.get_data())
    key = read_key(request.headers.get("Idempotency-Key"))
    rt = runtime.current()
    with rt.transaction() as session:
        told = shapes.receipt(send(session, token, asked, key, datetime.now(UTC)))
    rt.ring("send")
    answer = jsonify(told)
    answer.status_code = 202
    answer.headers["Location"] = told["status_url"]
    return answer


@api.get("/messages/<int:message_id>")
def message_status(message_id: int) -> Response:
    token = _authenticate()
    with runtime.current().transaction() as session:
        message = session.scalar(
            select(Message).where(Message.id == min(message_id, LARGEST_ID), Message.environment == token.environment)
        )
        if message is None:
            raise RefusalError(404, "unknown_message", f"There is no such message in {token.environment}.")
        return jsonify(shapes.status(session, message))


def _authenticate() -> ApiToken:
    """The token of the Authorization header, asked for anew at each request, so that a revoked one ends at once."""
    if any(value.startswith(tokens.PREFIX) for values in request.args.listvalues() for value in values):
        raise RefusalError(
            400,
            "token_in_address",
            "A token in an address ends up in logs: revoke this one, and send the next in the Authorization header.",
        )
    if request.args:
        raise RefusalError(400, "unexpected_query", "This address takes no query: tokens go in Authorization: Bearer.")
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise RefusalError(401, "unauthorized", "Send a token: Authorization: Bearer bc_live_… or bc_test_….")
    with runtime.current().transaction() as session:
        token = tokens.find(session, given.token)
    if token is None:
        raise RefusalError(401, "unauthorized", "This token is not known or was revoked.")
    return token
