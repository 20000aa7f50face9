"""Making a person and changing one by hand or by a program: all that is wrong is said at once, field by field.

Whoever adds an address holds the same locks as a message that comes from it (bot/people/keys.py), so that the two never
make two people; a change holds the person's row and touches only what it names, so that nothing another one wrote is
lost.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

from sqlalchemy import ColumnElement, Text, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.language import _, figure
from bot.models.person import Person
from bot.models.words import AddressKind, Environment, PropertyType
from bot.people import addresses, attributes, fields, keys, properties, suppressions
from bot.people.fields import ProfileError as ProfileError
from bot.people.keys import Key
from bot.people.properties import PropertyError
from bot.people.tellers import Teller
from bot.providers.events import Sender

KNOWN = frozenset({*fields.COLUMNS, "addresses", "attributes", "types"})
MOST_ATTRIBUTES = 500
"""Of one change."""


@dataclass(slots=True)
class _Wanted:
    columns: dict[str, Any] = field(default_factory=dict)
    addresses: dict[str, list[Key]] = field(default_factory=dict)
    """Kind → all there shall be of it."""

    @property
    def reach(self) -> list[Key]:
        return [key for kind in self.addresses.values() for key in kind]


def create(session: Session, environment: str, given: Mapping[str, Any], teller: Teller) -> Person:
    """Somebody new, with a distinct id or an address at least; `given` is as the API's body, see docs/people.md."""
    if environment not in set(Environment):
        raise ProfileError(
            {
                "environment": _(
                    "There is no environment %(environment)s: choose live or test.", environment=repr(environment)
                )
            }
        )
    wanted = _read(given, given.get("country"))
    if not wanted.columns.get("distinct_id") and not wanted.reach:
        raise ProfileError({"distinct_id": _("Give a distinct ID, or an address: otherwise nobody could find them.")})
    _lock(session, environment, wanted.reach)
    phone = next((value for kind, value in wanted.reach if kind == AddressKind.PHONE), None)
    values = {
        "country": phones.country_of(phone) if phone else None,
        "distinct_id": str(uuid.uuid4()),
        "distinct_id_given": "distinct_id" in wanted.columns,
        **wanted.columns,
        "environment": environment,
        "attributes": _attributes(session, environment, given, teller)[0],
    }
    _refuse_erased(session, environment, wanted)
    made = session.scalar(insert(Person).values(values).on_conflict_do_nothing().returning(Person.id))
    if made is None:
        raise _taken_name(session, environment, values["distinct_id"])
    person = session.get_one(Person, made)
    addresses.set_all(session, person, wanted.addresses)
    return person


def change(session: Session, person_id: int, given: Mapping[str, Any], teller: Teller) -> Person:
    """Only what `given` names: an attribute that is null goes, a kind of address becomes exactly what is listed."""
    environment, country = _known(session, person_id)
    wanted = _read(given, given.get("country", country))
    _lock(session, environment, wanted.reach)
    new, gone = _attributes(session, environment, given, teller)
    person = _hold(session, person_id)
    _refuse_erased(session, environment, wanted)
    columns: dict[str, Any] = {name: value for name, value in wanted.columns.items() if getattr(person, name) != value}
    if "distinct_id" in columns:
        columns["distinct_id_given"] = True
    if any(person.attributes.get(name) != value for name, value in new.items()) or gone & person.attributes.keys():
        columns["attributes"] = _merged(new, gone)
    if addresses.set_all(session, person, wanted.addresses) or columns:
        _write(session, person, columns)
    return person


def add_address(session: Session, person_id: int, kind: AddressKind, value: str) -> Person:
    """One more of a kind; what the person has already stays."""
    environment, country = _known(session, person_id)
    wanted = _read({"addresses": {kind: value}}, country)
    if not wanted.reach:
        raise ProfileError({f"addresses.{kind}": _("This is blank: write the address.")})
    _lock(session, environment, wanted.reach)
    person = _hold(session, person_id)
    _refuse_erased(session, environment, wanted)
    if addresses.add(session, person, wanted.reach):
        _write(session, person, {})
    return person


def remove_address(session: Session, person_id: int, address_id: int) -> bool:
    """Whether it was there."""
    person = _hold(session, person_id)
    is_gone = addresses.remove(session, person, address_id)
    if is_gone:
        _write(session, person, {})
    return is_gone


def _hold(session: Session, person_id: int) -> Person:
    """The person as they are now, so that nobody else changes or merges them meanwhile."""
    found = session.scalar(
        select(Person)
        .where(Person.id == person_id, Person.erased_at.is_(None))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found or _nobody(person_id)


def _nobody(person_id: int) -> NoReturn:
    raise ProfileError({"id": _("There is no person %(person_id)s.", person_id=person_id)})


def _known(session: Session, person_id: int) -> tuple[str, str | None]:
    found = session.execute(select(Person.environment, Person.country).where(Person.id == person_id)).one_or_none()
    return _nobody(person_id) if found is None else (found.environment, found.country)


def _read(given: Mapping[str, Any], country: object) -> _Wanted:
    """Columns and addresses; raises ProfileError with everything that is wrong with them, and with unknown fields."""
    region = country.upper() if isinstance(country, str) and country.upper() in phones.calling_codes() else None
    asked = given.get("addresses") or {}
    wrong = {
        name: f"There is no field {name[:64]!r} that can be set: there are {', '.join(sorted(KNOWN))}."
        for name in given.keys() - KNOWN
    }
    for name in ("addresses", "attributes", "types"):
        if not isinstance(given.get(name) or {}, dict):
            wrong[name] = f"{name} must be an object with a name for each."
            asked = {} if name == "addresses" else asked
    wrong |= {
        f"addresses.{kind}": f"There is no kind of address {str(kind)[:40]!r}: there are {', '.join(AddressKind)}."
        for kind in asked
        if kind not in set(AddressKind)
    }
    columns, bad_columns = fields.problems_of(
        (name, partial(fields.column, name, given[name])) for name in fields.COLUMNS if name in given
    )
    kinds, bad_kinds = fields.problems_of(
        (f"addresses.{kind}", partial(fields.addresses, AddressKind(kind), value, region))
        for kind, value in asked.items()
        if kind in set(AddressKind)
    )
    if problems := wrong | bad_columns | bad_kinds:
        raise ProfileError(problems)
    return _Wanted(columns, {name.removeprefix("addresses."): found for name, found in kinds.items()})


def _attributes(
    session: Session, environment: str, given: Mapping[str, Any], teller: Teller
) -> tuple[dict[str, attributes.Value], set[str]]:
    """(to be set, to be taken away). A name nobody has declared needs its type beside it, under `types`."""
    asked: Mapping[str, Any] = given.get("attributes") or {}
    if len(asked) > MOST_ATTRIBUTES:
        raise ProfileError(
            {
                "attributes": _(
                    "%(length)s attributes at once are too many: %(most_attributes)s.",
                    length=figure(len(asked)),
                    most_attributes=MOST_ATTRIBUTES,
                )
            }
        )
    types = _types(given.get("types") or {})
    if types:
        try:
            properties.declare(session, environment, types, teller.operator_id)
        except PropertyError as error:
            raise ProfileError({"types": str(error)}) from error
    known = properties.custom(session, environment)
    read, wrong = fields.problems_of(
        (f"attributes.{name}", partial(_accept, known, name, value))
        for name, value in asked.items()
        if value is not None
    )
    if wrong:
        raise ProfileError(wrong)
    new = {name.removeprefix("attributes."): value for name, value in read.items()}
    return new, {name for name, value in asked.items() if value is None}


def _accept(known: Mapping[str, PropertyType], name: str, value: object) -> attributes.Value:
    if name not in known:
        raise fields.FieldError(
            _(
                "There is no property %(name)s: make it under People, Properties, or give its type beside it.",
                name=repr(name[:80]),
            )
        )
    return attributes.accept(known[name], value)


def _types(given: Mapping[str, Any]) -> dict[str, PropertyType]:
    wrong = {
        f"types.{name}": f"There is no type {str(kind)[:40]!r}: there are {', '.join(PropertyType)}."
        for name, kind in given.items()
        if kind not in set(PropertyType)
    }
    if wrong:
        raise ProfileError(wrong)
    return {name: PropertyType(kind) for name, kind in given.items()}


def _lock(session: Session, environment: str, wanted: Collection[Key]) -> None:
    """Hold everybody who might write from one of these addresses."""
    senders = [
        Sender(phone=value.removeprefix("+")) if kind == AddressKind.PHONE else Sender(user_id=value)
        for kind, value in wanted
        if kind in {AddressKind.PHONE, AddressKind.USER_ID}
    ]
    keys.lock(session, ((environment, sender) for sender in senders))


def _refuse_erased(session: Session, environment: str, wanted: _Wanted) -> None:
    names = [(suppressions.DISTINCT_ID, wanted.columns["distinct_id"])] if "distinct_id" in wanted.columns else []
    if erased := suppressions.suppressed(session, environment, [*wanted.reach, *names]):
        paths = sorted(kind if kind == suppressions.DISTINCT_ID else f"addresses.{kind}" for kind, _ in erased)
        raise ProfileError(dict.fromkeys(paths, _("This cannot be stored: %(reason)s.", reason=suppressions.REASON)))


def _taken_name(session: Session, environment: str, distinct_id: str) -> ProfileError:
    has_it = select(Person.id).where(Person.environment == environment, Person.distinct_id == distinct_id)
    problem = f"{distinct_id[:80]} is somebody else's already: no two people of {environment} share a distinct ID."
    return ProfileError({"distinct_id": problem}, session.scalar(has_it))


def _merged(new: Mapping[str, attributes.Value], gone: Collection[str]) -> ColumnElement[Any]:
    kept = Person.attributes.op("||", return_type=JSONB())(cast(literal(dict(new), JSONB), JSONB))
    return kept.op("-", return_type=JSONB())(cast(literal(sorted(gone), ARRAY(Text)), ARRAY(Text)))


def _write(session: Session, person: Person, columns: dict[str, Any]) -> None:
    written = update(Person).where(Person.id == person.id).values(**columns, updated_at=func.now())
    try:
        with session.begin_nested():
            session.execute(written.execution_options(synchronize_session=False))
    except IntegrityError:
        raise _taken_name(session, person.environment, columns["distinct_id"]) from None
    session.refresh(person)
