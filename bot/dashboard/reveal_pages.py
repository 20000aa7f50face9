"""Page: one person's phone numbers and e-mail addresses, for somebody who otherwise sees them masked and says why."""

from collections.abc import Mapping

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, masks, people
from bot.dashboard.profile import KINDS
from bot.language import _, later, spoken, translated
from bot.models.person import Address, Person
from bot.team import audit
from bot.team.audit import Action

pages = Blueprint("reveal", __name__)

REASONS: Mapping[str, str] = {
    "call": later("They asked to be called or written to"),
    "identity": later("To make sure who it is"),
    "wrong": later("A number or an address seems wrong"),
    "rights": later("They asked about their data, or complained"),
    "duty": later("The law or an authority asks for it"),
}
"""Words of a list and none of one's own, among which might be a name: the audit log keeps them for good."""


@pages.get("/people/<int:person_id>/contact")
def ask(person_id: int) -> ResponseReturnValue:
    return _page(person_id)


@pages.post("/people/<int:person_id>/contact")
def show(person_id: int) -> ResponseReturnValue:
    """Shown this once; looking again is another entry."""
    reason = request.form.get("reason", "")
    if reason not in REASONS:
        return _page(person_id, problem=_("Say why first: it is kept with your name.")), 422
    with runtime.current().transaction() as tx:
        person = _found(tx, person_id)
        audit.note(tx, access.by(), Action.CONTACT_SHOWN, f"person {person.id}", after={"reason": REASONS[reason]})
        query = select(Address).where(Address.person_id == person.id).order_by(Address.id)
        shown = [(translated(KINDS[each.kind]), each.value) for each in tx.scalars(query)]
    masks.show(value for _, value in shown)
    return _page(person_id, shown=shown)


def _page(person_id: int, *, problem: str | None = None, shown: list[tuple[str, str]] | None = None) -> str:
    with runtime.current().transaction() as tx:
        person = _found(tx, person_id)
        name = tx.scalars(select(people.name()).where(Person.id == person.id)).one()
    return render_template(
        "dashboard/reveal.html", person=person, name=name, reasons=spoken(REASONS).items(), problem=problem, shown=shown
    )


def _found(session: Session, person_id: int) -> Person:
    person = session.get(Person, person_id)
    if person is None or person.erased_at is not None:
        abort(404)
    access.show_environment(person.environment)
    return person
