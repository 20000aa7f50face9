"""REST for programs: everybody, searched, sorted and filtered, and the properties people have; see docs/api.md."""

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, request

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate, read_fields
from bot.api.refusals import RefusalError
from bot.people import asking, finding, properties, shapes
from bot.people.finding import REFUSALS, Finder
from bot.people.properties import Listed, PropertyError

MOST = 200
"""People of one answer."""
_QUERY = (*asking.NAMES, "after", "before", "limit")

api = refusals.blueprint("listing_api", __name__)


@api.get("/people")
def people() -> Response:
    """`after` and `before` are ids of people; null in an answer means that there are no others."""
    token = authenticate(_QUERY)
    with runtime.current().transaction() as session:
        try:
            after, before, limit = (asking.read_id(name, request.args.get(name, "")) for name in _QUERY[-3:])
            if limit is not None and not 1 <= limit <= MOST:
                raise RefusalError(422, "bad_search", f"limit is 1 to {MOST}.", "limit")
            finder = Finder(session, asking.read(token.environment, request.args))
            found = finder.page(after=after, before=before, limit=limit or finding.PAGE)
        except REFUSALS as error:
            raise RefusalError(422, "bad_search", str(error)) from error
        told = shapes.people(session, found.ids)
    ids: Sequence[int | None] = found.ids or [None]
    return jsonify(
        {
            "people": told,
            "after": ids[-1] if found.has_after else None,
            "before": ids[0] if found.has_before else None,
            "count": found.count,
        }
    )


@api.get("/properties")
def every_property() -> Response:
    token = authenticate()
    with runtime.current().transaction() as session:
        return jsonify({"properties": [_shape(each) for each in properties.every(session, token.environment)]})


@api.post("/properties")
def make_property() -> Response:
    token = authenticate()
    given = read_fields("name", "type")
    with runtime.current().transaction() as session:
        try:
            properties.make(session, token.environment, str(given.get("name")), str(given.get("type")))
        except PropertyError as error:
            raise RefusalError(422, "bad_property", str(error)) from error
        told = _shape(_named(properties.every(session, token.environment), str(given["name"])))
    answer = jsonify(told)
    answer.status_code = 201
    return answer


@api.patch("/properties/<name>")
def show_property(name: str) -> Response:
    """See in Table; nothing else of a property ever changes."""
    token = authenticate()
    given = read_fields("see_in_table")
    is_shown = given.get("see_in_table")
    if not isinstance(is_shown, bool):
        raise RefusalError(422, "invalid_field", "see_in_table must be true or false.", "see_in_table")
    with runtime.current().transaction() as session:
        try:
            properties.show(session, token.environment, name.replace("\x00", ""), is_shown)
        except PropertyError as error:
            raise RefusalError(404, "unknown_property", str(error)) from error
        return jsonify(_shape(_named(properties.every(session, token.environment), name)))


def _named(listed: list[Listed], name: str) -> Listed:
    return next(each for each in reversed(listed) if each.name == name)


def _shape(listed: Listed) -> dict[str, Any]:
    return {
        "name": listed.name,
        "label": listed.label,
        "group": listed.group,
        "type": listed.type,
        "see_in_table": listed.is_shown,
    }
