"""A person as flat text: the names `<<user.NAME>>` may read, and nothing that leads anywhere else."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.person import Address, Person
from bot.models.words import AddressKind
from bot.people import links

_COLUMNS = ("distinct_id", "first_name", "last_name", "nickname", "country", "language", "time_zone")
_ADDRESSES = {AddressKind.PHONE: "phone_no", AddressKind.EMAIL: "email"}
_DEEPEST = 8

OWN_NAMES = frozenset({*_COLUMNS, *_ADDRESSES.values(), "username"})
"""Names that columns and addresses answer to: an attribute of that name would not be read."""


# Plain SQL: a broadcast asks for hundreds at a time, and a list of ids in one parameter is one plan for any number.
_PEOPLE = text(f"""
    SELECT id, distinct_id_given, attributes, {", ".join(_COLUMNS)} FROM person WHERE id = ANY(:ids)
""")  # noqa: S608 (ours)

# The oldest address of a kind comes last, and stays.
_REACHED_AT = text("SELECT person_id, kind, value FROM address WHERE person_id = ANY(:ids) ORDER BY id DESC")


def values_of(person: Person, addresses: Iterable[Address]) -> dict[str, str]:
    """{"first_name": "Ana", "office.no": "12", …}; what is not known is left out. See docs/personalisation.md."""
    columns = [getattr(person, name) for name in _COLUMNS]
    reached = {address.kind: address.value for address in addresses}
    return _values(columns, person.attributes, reached, is_given=person.distinct_id_given)


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
    told = {
        id_: _values(columns, attributes, addresses.get(id_, {}), is_given=is_given)
        for id_, is_given, attributes, *columns in session.execute(_PEOPLE, ids)
    }
    return links.filled_in(session, told, names)


def _values(
    columns: Iterable[str | None], attributes: Mapping[str, Any], addresses: Mapping[str, str], *, is_given: bool
) -> dict[str, str]:
    """Columns and addresses win over an attribute of the same name, where they hold anything."""
    own = dict(zip(_COLUMNS, columns, strict=True))
    own["first_name"] = own["first_name"] or _first_word(own["nickname"])
    own["username"] = own["distinct_id"] if is_given else None
    for kind, value in addresses.items():
        if kind in _ADDRESSES:
            own[_ADDRESSES[AddressKind(kind)]] = value
    return dict(_flat("", attributes)) | {name: value for name, value in own.items() if value}


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
