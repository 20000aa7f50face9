"""REST for programs: erasing a person, and all that is kept about them; docs/erasure.md says what goes."""

import re
from typing import Any

from flask import Response, jsonify
from sqlalchemy.orm import Session

from bot import runtime
from bot.api import refusals
from bot.api.access import authenticate, by
from bot.api.profiles import whom
from bot.api.refusals import RefusalError
from bot.erasure import erasing, exporting
from bot.erasure.erasing import Actor, ErasureError
from bot.models.person import Erasure, Person
from bot.people.ledger import LedgerError
from bot.team import audit
from bot.team.audit import Action

_USER_ID = re.compile(r"[0-9]{1,18}", re.ASCII)

api = refusals.blueprint("erasure_api", __name__)


@api.delete("/people/<path:who>")
def erase(who: str) -> Response:
    """By user id it can be repeated, and tells how far the search has come; other names are gone with the first."""
    token = authenticate()
    rt = runtime.current()
    try:
        with rt.transaction() as session:
            person_id = _again(session, who) or whom(session, token, who).id
            told = _receipt(erasing.erase(session, rt.settings, person_id, Actor(token_id=token.id), token.environment))
            audit.note(session, by(token), Action.ERASED, f"person {person_id}")
    except ErasureError as error:
        raise RefusalError(404, "unknown_person", str(error)) from error
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
        person_id = whom(session, token, who).id
        audit.note(session, by(token), Action.EXPORTED, f"person {person_id}")
    response = Response(exporting.export(rt, person_id), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=exporting.name(person_id))
    return response


def _again(session: Session, who: str) -> int | None:
    """The user id of somebody erased, of whom nothing else is known."""
    person = session.get(Person, int(who)) if _USER_ID.fullmatch(who) else None
    return person.id if person is not None and person.erased_at is not None else None


def _receipt(erasure: Erasure) -> dict[str, Any]:
    return {
        "id": erasure.id,
        "person_id": erasure.person_id,
        "at": erasure.at.isoformat(),
        "finished_at": erasure.finished_at and erasure.finished_at.isoformat(),
        "receipt": erasure.receipt,
    }
