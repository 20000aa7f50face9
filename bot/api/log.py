"""REST for programs: the log of sends, a page at a time; docs/api.md is its manual."""

from datetime import datetime
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy import Row

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate, read_whole
from bot.api.profiles import whom
from bot.api.refusals import RefusalError
from bot.messages import log
from bot.messages.log import Wanted
from bot.models.message import AUTHOR_COLUMNS, Message
from bot.models.person import Person
from bot.models.words import AuthorKind, MessageState

MOST = 500
"""Messages of one answer."""

api = refusals.blueprint("log_api", __name__)

_QUERY = ("state", "author", "broadcast", "number", "person", "since", "until", "before", "limit")
_STATES = tuple(state.value for state in MessageState if state is not MessageState.RECEIVED)
_AUTHORS = tuple(kind.value for kind in AuthorKind)
_TIMES = ("created_at", "accepted_at", "sent_at", "delivered_at", "read_at", "failed_at")


@api.get("/logs")
def logs() -> Response:
    """The newest first; `before` is the `more` of the page before, and null means that there are no others."""
    token = authenticate(_QUERY)
    limit = read_whole("limit") or log.PAGE
    if limit > MOST:
        raise RefusalError(400, "unexpected_query", f"limit is {MOST} at most.", "limit")
    person = request.args.get("person")
    with runtime.current().transaction() as session:
        wanted = Wanted(
            environment=token.environment,
            state=_one_of("state", _STATES),
            author_kind=_one_of("author", _AUTHORS),
            broadcast_id=read_whole("broadcast"),
            number_id=read_whole("number"),
            people=None if person is None else [whom(session, token, person).id],
            since=_time("since"),
            until=_time("until"),
            before=read_whole("before"),
        )
        page = log.load(session, wanted, limit)
        told = [_shape(row) for row in page.rows]
    looked = page.looked_back_to
    return jsonify({"messages": told, "more": page.more, "looked_back_to": looked and looked.isoformat()})


def _shape(row: Row[Message, Person, str, str]) -> dict[str, Any]:
    message, person, _, author = row
    column = AUTHOR_COLUMNS.get(AuthorKind(message.author_kind)) if message.author_kind else None
    is_refused = message.error_code is not None or message.error_text is not None
    return {
        "id": message.id,
        "kind": message.kind,
        "number_id": message.number_id,
        "person": {"id": person.id, "distinct_id": person.distinct_id},
        "to": message.to_address,
        "author": {"kind": message.author_kind, "id": column and getattr(message, column), "name": author},
        "body": message.body,
        "state": message.state,
        **{name: (at := getattr(message, name)) and at.isoformat() for name in _TIMES},
        "error": {"code": message.error_code, "text": message.error_text} if is_refused else None,
        "why_url": f"{refusals.PREFIX}/people/{person.id}/why?message={message.id}",
    }


def _one_of(name: str, words: tuple[str, ...]) -> str | None:
    given = request.args.get(name)
    if given is not None and given not in words:
        raise RefusalError(400, "unexpected_query", f"{name} is one of {', '.join(words)}.", name)
    return given


def _time(name: str) -> datetime | None:
    given = request.args.get(name)
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 2000 <= at.year < 3000:
        raise RefusalError(400, "unexpected_query", f"{name} must be like 2030-03-01T09:00:00Z, with its zone.", name)
    return at
