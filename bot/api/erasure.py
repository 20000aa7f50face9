"""REST for programs: erasing a person, and all that is kept about them; docs/erasure.md says what goes."""

from typing import Any

from flask import Response, jsonify

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate
from bot.api.profiles import whom
from bot.api.refusals import RefusalError
from bot.erasure import erasing, exporting
from bot.erasure.erasing import Actor
from bot.models.person import Erasure
from bot.people.ledger import LedgerError

api = refusals.blueprint("erasure_api", __name__)


@api.delete("/people/<path:who>")
def erase(who: str) -> Response:
    """By user id it can be repeated, and tells how far the search has come; other names are gone with the first."""
    token = authenticate()
    rt = runtime.current()
    try:
        with rt.transaction() as session:
            person = whom(session, token, who)
            told = _receipt(erasing.erase(session, rt.settings, person.id, Actor(token_id=token.id), token.environment))
    except LedgerError as error:
        raise RefusalError(503, "no_ledger", str(error)) from error
    answer = jsonify(told)
    answer.status_code = 202
    return answer


@api.get("/people/<path:who>/export")
def export(who: str) -> Response:
    token = authenticate()
    rt = runtime.current()
    with rt.transaction() as session:
        person = whom(session, token, who)
        if person.erased_at is not None:
            raise RefusalError(404, "unknown_person", "This person was erased: nothing is kept about them.")
    response = Response(exporting.export(rt, person.id), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=exporting.name(person.id))
    return response


def _receipt(erasure: Erasure) -> dict[str, Any]:
    return {
        "id": erasure.id,
        "person_id": erasure.person_id,
        "at": erasure.at.isoformat(),
        "finished_at": erasure.finished_at and erasure.finished_at.isoformat(),
        "receipt": erasure.receipt,
    }
