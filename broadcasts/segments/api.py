"""REST for programs: segments, made of distinct ids or of a rule, and how many a rule matches; see docs/api.md."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate, read_fields
from bot.api.refusals import RefusalError, invalid
from bot.api.requests import LARGEST_ID
from bot.models.segment import Segment
from bot.models.team import ApiToken
from bot.people.rules import checking, counting
from bot.people.rules.counting import Count
from bot.people.rules.schema import RuleError
from bot.people.segments import Maker
from broadcasts.segments import editing, segments
from broadcasts.segments.segments import SegmentError

PAGE = 500

api = refusals.blueprint("segments_api", __name__)


@api.get("/segments")
def index() -> Response:
    """The newest first, static ones with how many people each holds."""
    token = authenticate()
    with runtime.current().transaction() as session:
        found = segments.every(session, token.environment)
        return jsonify({"segments": [_shape(each.segment, each.count) for each in found]})


@api.post("/segments")
def create() -> Response:
    token = authenticate()
    given = read_fields("name", "rule", "distinct_ids")
    name, maker = _text(given, "name"), Maker(token_id=token.id)
    if ("rule" in given) == ("distinct_ids" in given):
        raise invalid("rule", "Give either rule or distinct_ids.")
    with runtime.current().transaction() as session:
        try:
            if "rule" in given:
                made = editing.create_rule(session, token.environment, name, given["rule"], maker)
            else:
                made = editing.create_static(session, token.environment, name, _distinct_ids(given), maker)
        except RuleError as error:
            raise _bad_rule(error) from error
        except SegmentError as error:
            raise RefusalError(422, "bad_segment", str(error)) from error
        told = _whole(session, made)
    answer = jsonify(told)
    answer.status_code = 201
    answer.headers["Location"] = f"{refusals.PREFIX}/segments/{told['id']}"
    return answer


@api.post("/segments/count")
def count() -> Response:
    """Of a rule that is not stored; `exact` waits for the exact number."""
    token = authenticate()
    given = read_fields("rule", "exact")
    if not isinstance(given.get("exact", False), bool):
        raise invalid("exact", "exact is true or false.")
    with runtime.current().transaction() as session:
        try:
            rule = checking.check(session, token.environment, given.get("rule"))
            found = counting.count(session, token.environment, rule, is_patient=given.get("exact", False))
        except RuleError as error:
            raise _bad_rule(error) from error
        people = [person.distinct_id for person in counting.sample(session, token.environment, rule)]
    return jsonify({"people": found.value, "is_exact": found.is_exact, "sample": people})


@api.get("/segments/<int:segment_id>")
def show(segment_id: int) -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify(_whole(session, _found(session, token, segment_id)))


@api.get("/segments/<int:segment_id>/members")
def members(segment_id: int) -> Response:
    """In the order of ids; `after` is the `more` of the page before."""
    token = authenticate(("after",))
    after = request.args.get("after", "0")
    if not after.isdecimal() or int(after) > LARGEST_ID:
        raise RefusalError(400, "unexpected_query", "after is the `more` of the page before.", "after")
    with runtime.current().transaction() as session:
        found = _found(session, token, segment_id)
        try:
            people = segments.members(session, found, after=int(after), limit=PAGE)
        except RuleError as error:
            raise _bad_rule(error) from error
        told = [{"id": person.id, "distinct_id": person.distinct_id} for person in people]
    return jsonify({"members": told, "more": people[-1].id if len(people) == PAGE else None})


@api.delete("/segments/<int:segment_id>")
def delete(segment_id: int) -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        try:
            editing.delete(session, _found(session, token, segment_id))
        except SegmentError as error:
            raise RefusalError(409, "segment_in_use", str(error)) from error
    return Response(status=204)


def _found(session: Session, token: ApiToken, segment_id: int) -> Segment:
    segment, environment = session.get(Segment, min(segment_id, LARGEST_ID)), token.environment
    if segment is None or segment.environment != environment:
        raise RefusalError(404, "unknown_segment", f"There is no such segment in {environment}.")
    return segment


def _whole(session: Session, segment: Segment) -> dict[str, Any]:
    try:
        return _shape(segment, segments.size(session, segment)) | {"rule": segment.rule}
    except RuleError as error:
        raise _bad_rule(error) from error


def _shape(segment: Segment, found: Count | None) -> dict[str, Any]:
    return {
        "id": segment.id,
        "name": segment.name,
        "kind": segment.kind,
        "people": None if found is None else found.value,
        "is_exact": None if found is None else found.is_exact,
        "origin": segment.origin,
        "created_at": segment.created_at.isoformat(),
        "updated_at": segment.updated_at.isoformat(),
    }


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise invalid(name, f"{name} must be a text.")
    return value


def _distinct_ids(given: Mapping[str, Any]) -> list[str]:
    value = given["distinct_ids"]
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(each, str) and "\0" not in each for each in value)
    ):
        raise invalid("distinct_ids", "distinct_ids must be a list of texts, with one at least.")
    return value


def _bad_rule(error: RuleError) -> RefusalError:
    """`message` holds every problem, one a line; `field` is the place of the first."""
    return RefusalError(422, "bad_rule", str(error), error.problems[0].path)
