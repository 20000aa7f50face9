"""A person as flat text: the names `<<user.NAME>>` may read, and nothing that leads anywhere else."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.person import Address, Person
from bot.models.words import AddressKind

_COLUMNS = ("distinct_id", "first_name", "last_name", "nickname", "country", "language", "time_zone")
_ADDRESSES = {AddressKind.PHONE: "phone_no", AddressKind.EMAIL: "email"}
_DEEPEST = 8

OWN_NAMES = frozenset({*_COLUMNS, *_ADDRESSES.values(), "username"})
"""Names that columns and addresses answer to: an attribute of that name would not be read."""


# Plain SQL: a broadcast asks for hundreds at a time, and a list of ids in one parameter is one plan for any number.
_PEOPLE = text("""
    SELECT id, distinct_id_given, attributes,
           distinct_id, first_name, last_name, nickname, country, language, time_zone
      FROM person WHERE id = ANY(:ids)
""")

# The oldest address of a kind comes last, and stays.
_REACHED_AT = text("SELECT person_id, kind, value FROM address WHERE person_id = ANY(:ids) ORDER BY id DESC")


def values_of(person: Person, addresses: Iterable[Address]) -> dict[str, str]:
    """{"first_name": "Ana", "office.no": "12", …}; what is not known is left out. See docs/personalisation.md."""
    known = {name: getattr(person, name) for name in (*_COLUMNS, "distinct_id_given", "attributes")}
    return _values(known, {address.kind: address.value for address in addresses})


def load_values(
    session: Session, person_ids: Iterable[int], names: Collection[str] | None = None
) -> dict[int, dict[str, str]]:
    """Values of many people in at most two statements, as the database has them now; an id nobody has is left out.

    With `names`, what none of these needs may be left out too, and is not looked up.
    """
    ids = {"ids": list(set(person_ids))}
    addresses: dict[int, dict[str, str]] = {}
    if names is None or any(name in names for name in _ADDRESSES.values()):
        for person_id, kind, value in session.execute(_REACHED_AT, ids):
            addresses.setdefault(person_id, {})[kind] = value
    people = session.execute(_PEOPLE, ids).mappings()
    return {person["id"]: _values(person, addresses.get(person["id"], {})) for person in people}


def _values(person: Mapping[Any, Any], addresses: Mapping[str, str]) -> dict[str, str]:
    """Columns and addresses win over an attribute of the same name, where they hold anything."""
    own = {name: person[name] for name in _COLUMNS} | {
        name: addresses.get(kind.value) for kind, name in _ADDRESSES.items()
    }
    own["first_name"] = own["first_name"] or _first_word(own["nickname"])
    own["username"] = own["distinct_id"] if person["distinct_id_given"] else None
    return dict(_flat("", person["attributes"])) | {name: value for name, value in own.items() if value}


def _first_word(nickname: str | None) -> str | None:
    """Profile names come with flowers around them: the first word with a letter in it."""
    words = (nickname or "").split()
    return next((word for word in words if any(letter.isalpha() for letter in word)), None)


def _flat(prefix: str, given: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, str]]:
    for key, value in given.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _flat(f"{prefix}{key}.", value, depth + 1)
        elif value is not None:
            yield f"{prefix}{key}", _shown(value)


def _shown(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case int() | float():
            return str(value)
        case list() if all(isinstance(each, str | int | float) for each in value):
            return ", ".join(_shown(each) for each in value)
    return orjson.dumps(value).decode()
