"""REST for programs: one person, what they were sent and what came of it; docs/api.md is its manual."""

from dataclasses import asdict
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from bot import runtime
from bot.api import answers, refusals
from bot.api.access import authenticate, read_fields
from bot.api.refusals import RefusalError
from bot.goals import noticing
from bot.messages import engagement, history
from bot.messages.history import Entry
from bot.models.person import Person
from bot.models.team import ApiToken
from bot.models.words import Direction
from bot.people import naming, profiles, shapes
from bot.people.profiles import ProfileError
from bot.people.tellers import Teller

MOST = 100
"""Notifications of one answer."""

api = refusals.blueprint("profiles_api", __name__)


@api.post("/people")
def create() -> Response:
    token = authenticate()
    given = read_fields()
    with runtime.current().transaction() as session:
        try:
            made = profiles.create(session, token.environment, given, teller(token))
            noticing.attributes_changed(session, token.environment, [made.id])
        except ProfileError as error:
            raise refusal(error) from error
        told = shapes.person(session, made)
    return answers.made(told, f"people/{told['id']}")


@api.get("/people/<path:who>")
def show(who: str) -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify(shapes.person(session, whom(session, token, who)))


@api.patch("/people/<path:who>")
def change(who: str) -> Response:
    token = authenticate()
    given = read_fields()
    with runtime.current().transaction() as session:
        try:
            changed = profiles.change(session, whom(session, token, who).id, given, teller(token))
            noticing.attributes_changed(session, token.environment, [changed.id])
        except ProfileError as error:
            raise refusal(error) from error
        return jsonify(shapes.person(session, changed))


@api.get("/people/<path:who>/notifications")
def notifications(who: str) -> Response:
    """The newest first; `before` is the `more` of the page before."""
    token = authenticate(("before", "limit"))
    before, limit = _whole("before"), _whole("limit") or history.PAGE
    if limit > MOST:
        raise RefusalError(400, "unexpected_query", f"limit is {MOST} at most.", "limit")
    with runtime.current().transaction() as session:
        person = whom(session, token, who)
        page = history.page(session, person.id, Direction.OUT, before, limit)
        counted = engagement.of_person(session, person.id)
    return jsonify(
        {
            "statistics": asdict(counted),
            "notifications": [_notification(each) for each in page.entries],
            "more": page.more,
        }
    )


def whom(session: Session, token: ApiToken, who: str) -> Person:
    found = naming.named(session, token.environment, who)
    if found is None:
        raise RefusalError(
            404,
            "unknown_person",
            f"Nobody in {token.environment} is called that: give an id, or distinct:<distinct id>.",
        )
    return found


def refusal(error: ProfileError) -> RefusalError:
    """All that is wrong in one message; `field` is the first of it."""
    field = next(iter(error.problems))
    if error.owner_id is not None:
        return RefusalError(409, "taken", str(error), field)
    return RefusalError(
        422, "invalid_field", " ".join(f"{name}: {text}" for name, text in error.problems.items()), field
    )


def teller(token: ApiToken) -> Teller:
    return Teller("api", token_id=token.id)


def _notification(entry: Entry) -> dict[str, Any]:
    message = entry.message
    times = ("accepted_at", "sent_at", "delivered_at", "read_at", "failed_at")
    return {
        "id": message.id,
        "kind": message.kind,
        "number_id": message.number_id,
        "template": entry.template,
        "body": message.body,
        "author": {"kind": message.author_kind, "name": entry.author},
        "state": message.state,
        "occurred_at": shapes.iso(message.occurred_at),
        **{name: shapes.iso(getattr(message, name)) for name in times},
        "clicked": entry.clicked,
        "replied": entry.replied,
        "error": {"code": message.error_code, "text": message.error_text} if message.error_text else None,
        "status_url": f"{refusals.PREFIX}/messages/{message.id}",
    }


def _whole(name: str) -> int | None:
    given = request.args.get(name)
    if given is None:
        return None
    if not given.isascii() or not given.isdecimal() or not 0 < int(given[:19]) < 2**63 or len(given) > 19:
        raise RefusalError(400, "unexpected_query", f"{name} must be a whole number above zero.", name)
    return int(given)
