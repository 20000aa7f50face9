"""REST for programs, version 1; docs/api.md is its manual."""

from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import select

from bot import runtime
from bot.api import refusals, shapes
from bot.api.access import authenticate, read_body
from bot.api.refusals import RefusalError
from bot.api.requests import LARGEST_ID, read_key, read_message
from bot.api.sending import send
from bot.models.message import Message

api = Blueprint("api", __name__, url_prefix=refusals.PREFIX)
refusals.init(api)


@api.post("/messages")
def send_message() -> Response:
    token = authenticate()
    asked = read_message(read_body())
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
    token = authenticate()
    with runtime.current().transaction() as session:
        message = session.scalar(
            select(Message).where(Message.id == min(message_id, LARGEST_ID), Message.environment == token.environment)
        )
        if message is None:
            raise RefusalError(404, "unknown_message", f"There is no such message in {token.environment}.")
        return jsonify(shapes.status(session, message))
