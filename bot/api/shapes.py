"""Messages as programs see them; docs/api.md describes each field."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.journey import Journey, Reminder
from bot.models.message import AUTHOR_COLUMNS, Message
from bot.models.person import Person
from bot.models.team import ApiToken, Operator
from bot.models.words import AuthorKind

NAMED: Mapping[str, type[Any]] = {
    AuthorKind.STACK: Journey,
    AuthorKind.COACH: Operator,
    AuthorKind.REMINDER: Reminder,
    AuthorKind.API: ApiToken,
    AuthorKind.BROADCAST: Broadcast,
}
TIMES = ("created_at", "accepted_at", "sent_at", "delivered_at", "read_at", "failed_at")


def receipt(message: Message) -> dict[str, Any]:
    """The answer to a send; holds only what never changes, so that a repeated request is answered the same."""
    return {
        "id": message.id,
        "kind": message.kind,
        "number_id": message.number_id,
        "created_at": message.created_at.isoformat(),
        "status_url": f"/api/v1/messages/{message.id}",
    }


def status(session: Session, message: Message) -> dict[str, Any]:
    person = session.get_one(Person, message.person_id)
    return {
        "id": message.id,
        "direction": message.direction,
        "kind": message.kind,
        "number_id": message.number_id,
        "person": {"id": person.id, "distinct_id": person.distinct_id},
        "author": _author(session, message),
        "state": message.state,
        **{name: _iso(getattr(message, name)) for name in TIMES},
        "error": _error(message),
        "possible_duplicate": message.possible_duplicate,
    }


def _author(session: Session, message: Message) -> dict[str, Any] | None:
    if message.author_kind is None:
        return None
    kind = AuthorKind(message.author_kind)
    if kind not in AUTHOR_COLUMNS:
        return {"kind": kind, "id": None, "name": None}
    author_id = getattr(message, AUTHOR_COLUMNS[kind])
    return {"kind": kind, "id": author_id, "name": str(session.get_one(NAMED[kind], author_id).name)}


def _error(message: Message) -> dict[str, Any] | None:
    if message.error_code is None and message.error_text is None:
        return None
    return {"code": message.error_code, "text": message.error_text}


def _iso(at: Any) -> str | None:  # noqa: ANN401 (a datetime column, or empty)
    return None if at is None else at.isoformat()
