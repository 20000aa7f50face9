"""REST for programs: broadcasts, listed, made, changed while they are drafts, read as somebody, and tried out."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.api import answers, refusals
from bot.api.access import authenticate, read_fields
from bot.models.broadcast import Broadcast
from bot.models.team import ApiToken
from bot.models.words import BroadcastState
from broadcasts.api import asking, shapes
from broadcasts.api.asking import found, refusing
from broadcasts.drafting import description, drafts, naming
from broadcasts.results import ledger

PAGE = 25
MOST = 100
"""Broadcasts of one answer."""

api = refusals.blueprint("broadcasts_api", __name__)


@api.get("/broadcasts")
def index() -> Response:
    """The newest first, test sends and retries among them; `before` asks for the next page."""
    token = authenticate(("before", "limit", "state"))
    before, limit = asking.number_of("before", None), asking.number_of("limit", PAGE, most=MOST) or PAGE
    wanted = select(Broadcast).where(Broadcast.environment == token.environment).order_by(Broadcast.id.desc())
    if "state" in request.args:
        wanted = wanted.where(Broadcast.state == _state(request.args["state"]))
    if before is not None:
        wanted = wanted.where(Broadcast.id < before)
    with runtime.current().transaction() as session:
        some = session.scalars(wanted.limit(limit + 1)).all()
        counted = ledger.outlines_of(session, [each.id for each in some[:limit]])
        told = [shapes.line(each, counted[each.id]) for each in some[:limit]]
    return jsonify({"broadcasts": told, "before": told[-1]["id"] if len(some) > limit else None})


@api.post("/broadcasts")
def create() -> Response:
    """A draft; what describes it is its `description` in every answer."""
    token, given = authenticate(), read_fields()
    with refusing(), runtime.current().transaction() as session:
        made = asking.once(session, token, _checked(given), lambda: _make(session, token, given).id)
        told = shapes.whole(session, found(session, token, made))
    return _versioned(answers.made(told, f"broadcasts/{made}"), told)


@api.get("/broadcasts/<int:broadcast_id>")
def show(broadcast_id: int) -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        told = shapes.whole(session, found(session, token, broadcast_id))
    return _versioned(jsonify(told), told)


@api.patch("/broadcasts/<int:broadcast_id>")
def change(broadcast_id: int) -> Response:
    """Of a draft what is named; of `schedule`, `care` and `trial` each member by itself, the rest as a whole.

    With If-Match only what stands as it was read.
    """
    token, given = authenticate(), read_fields()
    with refusing(), runtime.current().transaction() as session:
        asked = description.read(given)
        draft = found(session, token, broadcast_id, is_held=True)
        before = drafts.wanted_of(session, draft)
        answers.demand_version(drafts.version_of(before))
        changed = drafts.change(session, draft.id, naming.find(session, token.environment, asked, before))
        told = shapes.whole(session, changed)
    return _versioned(jsonify(told), told)


def _versioned(answer: Response, told: Mapping[str, Any]) -> Response:
    return answers.versioned(answer, told["version"])


def _checked(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises FieldError; what is read without one nests no deeper than a description does."""
    description.read(given)
    return given


def _make(session: Session, token: ApiToken, given: Mapping[str, Any]) -> Broadcast:
    return drafts.create(session, token.environment, naming.find(session, token.environment, description.read(given)))


def _state(given: str) -> str:
    if given not in list(BroadcastState):
        raise refusals.invalid("state", f"state is one of {', '.join(BroadcastState)}.")
    return given
