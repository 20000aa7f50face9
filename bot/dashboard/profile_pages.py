"""Pages: everything on one person, and what can be changed about them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import phone as phones
from bot import runtime
from bot.dashboard import access, entries, profile, profile_forms, times
from bot.goals import noticing
from bot.language import _, later, spoken, translated
from bot.messages import engagement, history
from bot.models.person import Person
from bot.models.words import AddressKind, Direction, PropertyType
from bot.people import consent, fields, preferences, profiles, properties
from bot.people.attributes import FORMATS
from bot.people.consent import Word
from bot.people.preferences import PreferenceError
from bot.people.profiles import ProfileError
from bot.people.tellers import Teller
from bot.team import permissions

pages = Blueprint("people", __name__)

FIRST = 8
"""Messages on the profile itself; the others have pages of their own."""
ELSEWHERE = (
    ("reveal.ask", later("Contact"), "phone"),
    ("why.show", later("Why?"), "doubt"),
    ("merging.show", later("Merge"), "segments"),
    ("erasure.export", later("Export"), "file"),
    ("erasure.show", later("Erase"), "close"),
)
"""What else can be done with a person, where there is such a page: endpoint, label, icon."""


@pages.get("/people/<int:person_id>")
def show(person_id: int) -> ResponseReturnValue:
    return _page(person_id)


@pages.post("/people/<int:person_id>")
def change(person_id: int) -> ResponseReturnValue:
    return _change(person_id, "general", lambda _: profile_forms.general(request.form))


@pages.post("/people/<int:person_id>/attributes")
def change_attributes(person_id: int) -> ResponseReturnValue:
    return _change(
        person_id,
        "attributes",
        lambda tx: profile_forms.typed(request.form, properties.custom(tx, access.environment())),
    )


@pages.post("/people/<int:person_id>/attributes/new")
def add_attribute(person_id: int) -> ResponseReturnValue:
    return _change(person_id, "attribute", lambda _: profile_forms.added(request.form))


@pages.post("/people/<int:person_id>/switch")
def switch(person_id: int) -> ResponseReturnValue:
    """The one switch for every message to somebody, whoever writes it."""
    return _change(person_id, "general", lambda _: {"enabled": request.form.get("enabled") == "yes"})


@pages.post("/people/<int:person_id>/addresses")
def add_address(person_id: int) -> ResponseReturnValue:
    kind, value = request.form.get("kind", ""), request.form.get("address", "")

    def add(tx: Session) -> None:
        if kind not in set(AddressKind):
            raise ProfileError({"kind": _("Choose the kind of address.")})
        profiles.add_address(tx, person_id, AddressKind(kind), value)

    return _do(person_id, "address", add)


@pages.post("/people/<int:person_id>/addresses/<int:address_id>/remove")
def remove_address(person_id: int, address_id: int) -> ResponseReturnValue:
    return _do(person_id, "address", lambda tx: profiles.remove_address(tx, person_id, address_id))


@pages.post("/people/<int:person_id>/preferences")
def choose(person_id: int) -> ResponseReturnValue:
    def keep(tx: Session) -> None:
        try:
            preferences.choose(tx, _found(tx, person_id), profile_forms.choices(request.form), _me())
        except PreferenceError as error:
            raise ProfileError({"preferences": str(error)}) from error

    return _do(person_id, "preferences", keep)


@pages.post("/people/<int:person_id>/consent")
def tell(person_id: int) -> ResponseReturnValue:
    """An entry in the ledger by hand, which says who told, when and in which words."""

    def enter(tx: Session) -> None:
        value, words, at = profile_forms.evidence(request.form)
        operator_id = access.operator().id
        consent.tell(tx, [Word(person_id, consent.MARKETING, value, "coach", at, words, operator_id=operator_id)])

    return _do(person_id, "consent", enter)


def links(person_id: int) -> list[tuple[str, str, str]]:
    """(address, label, icon) of what else may be done with somebody."""
    me = access.operator()
    return [
        (url_for(endpoint, person_id=person_id), label, icon)
        for endpoint, label, icon in ELSEWHERE
        if endpoint in current_app.view_functions and permissions.may(me.role, endpoint)
    ]


def _change(person_id: int, form: str, read: Callable[[Session], Mapping[str, Any]]) -> ResponseReturnValue:
    return _do(person_id, form, lambda tx: profiles.change(tx, person_id, read(tx), _me()))


def _do(person_id: int, form: str, work: Callable[[Session], object]) -> ResponseReturnValue:
    """The page anew: with what was wrong beside the fields of that form, or by a redirect once it is done."""
    try:
        with runtime.current().transaction() as tx:
            environment = _found(tx, person_id).environment
            work(tx)
            noticing.attributes_changed(tx, environment, [person_id])
    except ProfileError as error:
        status = 409 if error.owner_id else 422
        return _page(person_id, form=form, problems=error.problems, owner_id=error.owner_id), status
    flash(_("Saved."))
    return redirect(url_for("people.show", person_id=person_id), 303)


def _page(
    person_id: int, *, form: str = "", problems: Mapping[str, str] | None = None, owner_id: int | None = None
) -> str:
    with runtime.current().transaction() as tx:
        person = _found(tx, person_id)
        shown = {
            "profile": profile.load(tx, person),
            "engagement": engagement.of_person(tx, person_id),
            "sent": history.page(tx, person_id, Direction.OUT, size=FIRST),
            "heard": history.page(tx, person_id, Direction.IN, size=FIRST),
            "known": list(properties.custom(tx, person.environment)),
        }
    return render_template(
        "dashboard/person.html",
        **shown,
        **_words(),
        **entries.WORDS,
        person=person,
        links=links(person_id),
        reading=permissions.may(access.operator().role, "inbox.thread"),
        may_see_segments=permissions.may(access.operator().role, "segments.show"),
        form=form,
        given=request.form if form else {},
        problems=problems or {},
        owner_id=owner_id,
        zone=times.zone().key,
        now=datetime.now(UTC).astimezone(times.zone()).strftime("%Y-%m-%dT%H:%M"),
        countries=list(phones.calling_codes()),
        time_zones=sorted(fields.time_zones()),
    )


def _words() -> dict[str, Any]:
    return {
        "kinds": spoken(profile.KINDS),
        "channels": spoken(profile.CHANNELS),
        "sources": spoken(profile.SOURCES),
        "formats": FORMATS,
        "types": [(kind.value, translated(FORMATS[kind].label)) for kind in PropertyType],
        "unreported": spoken(engagement.UNREPORTED),
    }


def _found(session: Session, person_id: int) -> Person:
    person = session.get(Person, person_id)
    if person is None or person.erased_at is not None:
        abort(404)
    access.show_environment(person.environment)
    return person


def _me() -> Teller:
    return Teller("coach", operator_id=access.operator().id)
