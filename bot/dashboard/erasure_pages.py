"""Pages: erasing a person for good, with what will go before the word is typed; and all that is kept, as one file."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from bot import runtime
from bot.dashboard import access, people
from bot.dashboard.why_pages import profile_of
from bot.erasure import erasing, exporting
from bot.erasure.erasing import TYPED, Actor
from bot.language import _
from bot.models.person import Erasure, Person
from bot.models.team import ApiToken, Operator
from bot.people.ledger import LedgerError
from bot.team import audit
from bot.team.audit import Action

pages = Blueprint("erasure", __name__)


@pages.get("/people/<int:person_id>/erase")
def show(person_id: int) -> str:
    """Before: what will go. Afterwards: the receipt, and whether the search is through."""
    return _page(person_id)


@pages.post("/people/<int:person_id>/erase")
def erase(person_id: int) -> ResponseReturnValue:
    if request.form.get("typed", "").strip().casefold() != TYPED:
        return _page(person_id, _("Nobody was erased: type the word %(word)s first.", word=TYPED)), 422
    rt = runtime.current()
    try:
        with rt.transaction() as tx:
            _found(tx.get(Person, person_id))
            erasing.erase(tx, rt.settings, person_id, Actor(operator_id=access.operator().id))
            audit.note(tx, access.by(), Action.ERASED, f"person {person_id}")
    except LedgerError as error:
        return _page(person_id, str(error)), 503
    return redirect(url_for("erasure.show", person_id=person_id), 303)


@pages.get("/people/<int:person_id>/export")
def export(person_id: int) -> Response:
    rt = runtime.current()
    with rt.transaction() as tx:
        person = _found(tx.get(Person, person_id))
        if person.erased_at is not None:
            abort(404)
        audit.note(tx, access.by(), Action.EXPORTED, f"person {person_id}")
    response = Response(exporting.export(rt, person_id), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=exporting.name(person_id))
    return response


def _page(person_id: int, problem: str | None = None) -> str:
    with runtime.current().transaction() as tx:
        person = _found(tx.get(Person, person_id))
        name = tx.scalar(select(people.name()).where(Person.id == person_id)) or person.distinct_id
        done = tx.execute(
            select(Erasure, Operator.name.label("operator"), ApiToken.name.label("token"))
            .join(Operator, Operator.id == Erasure.operator_id, isouter=True)
            .join(ApiToken, ApiToken.id == Erasure.token_id, isouter=True)
            .where(Erasure.person_id == person_id)
            .order_by(Erasure.id.desc())
            .limit(1)
        ).one_or_none()
        return render_template(
            "dashboard/erase.html",
            person=person,
            name=name,
            back=profile_of(person, name) if person.erased_at is None else None,
            counts=erasing.preview(tx, person_id) if person.erased_at is None else {},
            done=done if person.erased_at is not None else None,
            typed=TYPED,
            problem=problem,
        )


def _found(person: Person | None) -> Person:
    if person is None:
        abort(404)
    access.show_environment(person.environment)
    return person
