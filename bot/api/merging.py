"""REST for programs: two people who turned out to be one; docs/api.md is its manual."""

from flask import Response, jsonify

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate, read_fields
from bot.api.profiles import whom
from bot.api.refusals import RefusalError
from bot.people import merge_shapes, merging
from bot.people.merging import MergeError

api = refusals.blueprint("merging_api", __name__)

_FIELDS = frozenset({"with", "preview"})


@api.post("/people/<path:who>/merge")
def merge(who: str) -> Response:
    """`{"with": <who>, "preview": true}` says what would become of the two; without `preview` it is done."""
    token = authenticate()
    given = read_fields("preview", "with")
    other, is_preview = given.get("with"), given.get("preview", False)
    if not isinstance(is_preview, bool):
        raise RefusalError(422, "invalid_field", "preview must be true or false.", "preview")
    if not isinstance(other, int | str) or isinstance(other, bool) or not str(other).strip():
        raise RefusalError(422, "invalid_field", "Say who the other is: an id, or distinct:<distinct id>.", "with")
    with runtime.current().transaction() as session:
        person, same = whom(session, token, who), whom(session, token, str(other))
        try:
            seen = merge_shapes.preview(merging.preview(session, person.id, same.id))
            if not is_preview:
                merging.become_one(session, person.id, same.id, f"by the token {token.name}")
        except MergeError as error:
            raise RefusalError(409, "not_mergeable", str(error), "with") from error
    return jsonify(seen | {"merged": not is_preview})
