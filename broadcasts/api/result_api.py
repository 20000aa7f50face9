"""REST for programs: the people behind each number of a broadcast, and what happened to it."""

from flask import Response, jsonify, request

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate
from bot.api.refusals import RefusalError
from broadcasts import transitions
from broadcasts.api import asking, shapes
from broadcasts.api.asking import found
from broadcasts.drafting.wanted import LETTERS
from broadcasts.results import recipients
from broadcasts.results.parts import PARTS, Asked

MOST = 500
"""People of one answer."""

api = refusals.blueprint("recipients_api", __name__)


@api.get("/broadcasts/<int:broadcast_id>/recipients")
def index(broadcast_id: int) -> Response:
    """Those with a message first, in the order in which these were made; `after` is the `more` of the page before."""
    token = authenticate(("part", "reason", "variant", "language", "after", "limit"))
    limit = asking.number_of("limit", recipients.PAGE, most=MOST) or recipients.PAGE
    asked, after = _asked(), request.args.get("after", "")
    place = recipients.place(after)
    if after and place == recipients.FIRST:
        raise RefusalError(400, "unexpected_query", "after is the `more` of the page before.", "after")
    with runtime.current().transaction() as session:
        broadcast = found(session, token, broadcast_id)
        page = recipients.load(session, broadcast.id, asked, recipients.cut(session, broadcast.id), place, limit)
        unmade = shapes.unmade_state(broadcast)
        told = [shapes.recipient(each, unmade) for each in page.rows]
    return jsonify({"recipients": told, "more": page.more})


@api.get("/broadcasts/<int:broadcast_id>/timeline")
def timeline(broadcast_id: int) -> Response:
    """The oldest first."""
    token = authenticate()
    with runtime.current().transaction() as session:
        lines = transitions.timeline(session, found(session, token, broadcast_id).id)
    return jsonify({"timeline": shapes.timeline(lines)})


def _asked() -> Asked:
    part, variant = request.args.get("part"), request.args.get("variant")
    if part is not None and part not in PARTS:
        raise refusals.invalid("part", f"part is one of {', '.join(PARTS)}.")
    if variant is not None and (len(variant) != 1 or variant not in LETTERS):
        raise refusals.invalid("variant", f"variant is a letter, {LETTERS[0]} to {LETTERS[-1]}.")
    reason, language = (request.args.get(name, "").replace("\0", "") or None for name in ("reason", "language"))
    return Asked(part, reason, None if variant is None else LETTERS.index(variant), language)
