"""REST for programs: a draft as somebody would read it, and sent to a few chosen people."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate
from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.message import Message
from bot.models.person import Person
from bot.models.team import ApiToken
from bot.models.words import BroadcastOrigin
from bot.people.values import load_values
from broadcasts.api import asking, shapes
from broadcasts.api.asking import found, refusing
from broadcasts.drafting import drafts, fields, reading, tryouts, whom
from broadcasts.drafting.wanted import LETTERS, Wanted
from broadcasts.transitions import Actor

FIRST = 5
"""People of a preview in which nobody is named."""

api = refusals.blueprint("broadcast_trials_api", __name__)


@api.post("/broadcasts/<int:broadcast_id>/preview")
def preview(broadcast_id: int) -> Response:
    """`{"person": "Mona"}`: by a name, a phone number or an id; without it the first few of the audience."""
    token = authenticate()
    asked = asking.read({"person": fields.filled})
    with refusing(), runtime.current().transaction() as session:
        wanted = drafts.wanted_of(session, found(session, token, broadcast_id))
        people = _people(session, token, wanted, asked["person"])
        versions = reading.versions(session, wanted)
        values = load_values(session, [each.id for each in people])
        told = []
        for each in people:
            theirs = reading.theirs(versions, each.language)
            told.append(shapes.readings(each, [reading.read_as(one, values.get(each.id, {})) for one in theirs]))
        counted = whom.count(session, token.environment, wanted)
    return jsonify({"people": told, "audience": {"people": counted.value, "is_exact": counted.is_exact}})


@api.post("/broadcasts/<int:broadcast_id>/test")
def test(broadcast_id: int) -> Response:
    """`{"to": ["+2010…", "customer-7"], "wordings": [0]}`: which of its wordings, 0 its own; all unless told."""
    token, rt = authenticate(), runtime.current()
    asked = asking.read({"to": _names, "wordings": _places})
    with refusing(), rt.transaction() as session:
        draft = found(session, token, broadcast_id)
        first = asking.once(session, token, asked, lambda: _send(session, draft, token, asked))
        told = _tests(session, draft, first)
    rt.ring("bulk")
    answer = jsonify({"tests": told})
    answer.status_code = 202
    return answer


def _people(session: Session, token: ApiToken, wanted: Wanted, named: str | None) -> Sequence[Person]:
    if named is None:
        return whom.few(session, token.environment, wanted, limit=FIRST)
    somebody, is_among = whom.find(session, token.environment, wanted, named)
    if somebody is None or not is_among:
        raise fields.FieldError("person", f"Nobody of its audience is found by “{named[:60]}”: try a phone or an id.")
    return [somebody]


def _send(session: Session, draft: Broadcast, token: ApiToken, asked: Mapping[str, Any]) -> int:
    """The first of what it made."""
    versions = reading.versions(session, drafts.wanted_of(session, draft))
    which = range(len(versions)) if asked["wordings"] is None else asked["wordings"]
    if any(each not in range(len(versions)) for each in which):
        raise fields.FieldError("wordings", f"It has the wordings 0 to {len(versions) - 1}.")
    newest = select(func.coalesce(func.max(Broadcast.id), 0)).where(_is_test_of(draft))
    before = session.scalars(newest).one()
    tryouts.send(session, draft, asked["to"] or (), which, Actor(token_id=token.id))
    return session.scalars(select(func.min(Broadcast.id)).where(_is_test_of(draft), Broadcast.id > before)).one()


def _tests(session: Session, draft: Broadcast, first: int) -> list[dict[str, Any]]:
    """All that were made together with the first, at the same moment."""
    at = select(Broadcast.created_at).where(Broadcast.id == first).scalar_subquery()
    made = select(Broadcast).where(_is_test_of(draft), Broadcast.id >= first, Broadcast.created_at == at)
    return [
        shapes.test(child, session.execute(_sent(child)).all())
        for child in session.scalars(made.order_by(Broadcast.id)).all()
    ]


def _sent(child: Broadcast) -> Select[Person, Message | None]:
    theirs = and_(Message.broadcast_id == child.id, Message.person_id == Person.id)
    return (
        select(Person, Message)
        .join(AudiencePerson, AudiencePerson.person_id == Person.id)
        .outerjoin(Message, theirs)
        .where(AudiencePerson.broadcast_id == child.id)
        .order_by(Person.id)
    )


def _is_test_of(draft: Broadcast) -> ColumnElement[bool]:
    return and_(Broadcast.parent_id == draft.id, Broadcast.origin == BroadcastOrigin.TEST)


def _names(value: object, field: str) -> list[str]:
    return fields.several(value, field, fields.filled, tryouts.MOST)


def _places(value: object, field: str) -> list[int]:
    return fields.several(value, field, fields.whole, len(LETTERS) * 10)
