"""REST for programs: what somebody did elsewhere, told to goals; docs/api.md is its manual."""

from datetime import UTC
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy import select

from bot import runtime
from bot.api import answers, refusals
from bot.api.access import authenticate, read_fields, read_whole
from bot.api.profiles import whom
from bot.api.refusals import RefusalError, invalid
from bot.api.requests import LARGEST_ID, read_key
from bot.goals import events
from bot.goals.events import EventError
from bot.models.goals import PersonEvent

PAGE = 100

api = refusals.blueprint("events_api", __name__)


@api.post("/people/<path:who>/events")
def tell(who: str) -> Response:
    """201 for an event that is new, 200 for one that was told before by the same key."""
    token = authenticate()
    given = dict(read_fields("name", "at", "attributes", "key"))
    header = read_key(request.headers.get("Idempotency-Key"))
    if header is not None and given.setdefault("key", header) != header:
        raise invalid("key", "key and Idempotency-Key are the same thing: send one of them.")
    with runtime.current().transaction() as session:
        try:
            event, is_new = events.tell(session, whom(session, token, who), given, token.id)
        except EventError as error:
            raise RefusalError(422, "invalid_field", str(error), error.field) from error
        told = _shape(event)
    path = f"people/{event.person_id}/events"
    return answers.made(told, path) if is_new else jsonify(told)


@api.get("/people/<path:who>/events")
def index(who: str) -> Response:
    """The newest told first; `before` is the `more` of the page before."""
    token = authenticate(("before",))
    before = read_whole("before") or LARGEST_ID
    with runtime.current().transaction() as session:
        of = select(PersonEvent).where(PersonEvent.person_id == whom(session, token, who).id, PersonEvent.id < before)
        found = session.scalars(of.order_by(PersonEvent.id.desc()).limit(PAGE)).all()
    return jsonify({"events": [_shape(each) for each in found], "more": found[-1].id if len(found) == PAGE else None})


def _shape(event: PersonEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "name": event.name,
        "at": event.at.astimezone(UTC).isoformat(),
        "attributes": event.attributes,
        "key": event.key,
    }
