"""Pages: making one of two people, with everything that would become of them before the button."""

from collections.abc import Sequence

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, people
from bot.dashboard.why_pages import profile_of
from bot.language import _, figure, later, translated
from bot.models.person import Person
from bot.people import finding, merging
from bot.people.finding import Asked, Finder
from bot.people.merging import MergeError, Preview

pages = Blueprint("merging", __name__)

OFFERED = 20
"""People whom a search offers."""


@pages.get("/people/<int:person_id>/merge")
def show(person_id: int) -> ResponseReturnValue:
    """`?q=` looks for the other; `?with=` shows what would become of the two."""
    return _page(person_id, request.args.get("with", 0, int))


@pages.post("/people/<int:person_id>/merge")
def merge(person_id: int) -> ResponseReturnValue:
    """Only if whoever stays is the one that was shown: meanwhile either may have changed."""
    other_id, shown_id = request.form.get("with", 0, int), request.form.get("stays", 0, int)
    if not request.form.get("sure"):
        return _page(person_id, other_id, _("Tick the box first: nothing takes the two apart again.")), 422
    reason = f"by hand, by {access.operator().name}"
    try:
        with runtime.current().transaction() as tx:
            _person(tx, person_id)
            wanted = other_id if 0 < other_id < 2**63 else 0
            stays_id = merging.become_one(tx, person_id, wanted, reason, expected=shown_id)
    except MergeError as error:
        return _page(person_id, other_id, str(error)), 409
    flash(_("The two are one now."))
    endpoint = "people.show" if "people.show" in current_app.view_functions else "why.show"
    return redirect(url_for(endpoint, person_id=stays_id), 303)


def _page(person_id: int, other_id: int, problem: str | None = None) -> str:
    words = request.args.get("q", "").strip()
    with runtime.current().transaction() as tx:
        person = _person(tx, person_id)
        name = _names(tx, [person_id])[0].name
        preview, names = None, {}
        if 0 < other_id < 2**63:
            try:
                preview = merging.preview(tx, person_id, other_id)
                names = {row.id: row.name for row in _names(tx, [person_id, other_id])}
            except MergeError as error:
                problem = problem or str(error)
        found, refusal = _search(tx, person, words) if words and preview is None else ((), None)
    return render_template(
        "dashboard/merge.html",
        person=person,
        name=name,
        names=names,
        back=profile_of(person, name),
        words=words,
        found=found,
        preview=preview,
        moves=_moves(preview) if preview else (),
        problem=problem or refusal,
    )


def _person(session: Session, person_id: int) -> Person:
    person = session.get(Person, person_id) or abort(404)
    access.show_environment(person.environment)
    return person


def _search(
    session: Session, person: Person, words: str
) -> tuple[Sequence[Row[int, str, str, str | None]], str | None]:
    """The others of the same environment who are meant."""
    try:
        ids = Finder(session, Asked(person.environment, words)).page(limit=OFFERED + 1).ids
    except finding.REFUSALS as error:
        return (), str(error)
    others = [id_ for id_ in ids if id_ != person.id][:OFFERED]
    by_id = {row.id: row for row in _names(session, others)}
    return [by_id[id_] for id_ in others], None


def _names(session: Session, ids: Sequence[int]) -> Sequence[Row[int, str, str, str | None]]:
    return session.execute(
        select(Person.id, people.name().label("name"), Person.distinct_id, people.phone().label("phone")).where(
            Person.id.in_(ids)
        )
    ).all()


def _moves(preview: Preview) -> list[str]:
    """What comes along, in words: `3 messages`, and of them how many are joined with the other's."""
    told = []
    for noun, count in preview.moves.items():
        if not count:
            continue
        shared = preview.joined.get(noun, 0)
        words = f"{figure(count)} {translated(noun if count != 1 else _SINGULAR[noun])}"
        told.append(
            _("%(words)s, %(shared)s of them joined with their own", words=words, shared=shared) if shared else words
        )
    if preview.joined["broadcasts"]:
        told.append(
            _(
                "%(count)s of the same broadcasts under both names: each goes out once",
                count=figure(preview.joined["broadcasts"]),
            )
        )
    return told


_SINGULAR = {
    later("addresses"): later("address"),
    later("messages"): later("message"),
    later("conversations"): later("conversation"),
    later("segments"): later("segment"),
    later("words of consent"): later("word of consent"),
    later("preferences"): later("preference"),
    later("reminders"): later("reminder"),
}
