"""The listing as a table: what each person has in each column, the same on the page, in an export and for programs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from itertools import islice
from typing import Any

from sqlalchemy import any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlalchemy.orm import Session

from bot.models.person import Address, Person
from bot.people import attributes
from bot.people.finding import Finder
from bot.people.properties import Group, Listed

_STEP = 1_000


def load(session: Session, ids: Sequence[int], columns: Sequence[Listed]) -> list[dict[str, Any]]:
    """Row by row in the order of `ids`: {"id": 7, "display_name": "Ada", "plan": "gold", …}; None is not known."""
    chosen = any_(literal(list(ids), ARRAY(BIGINT)))
    people = {person.id: person for person in session.scalars(select(Person).where(Person.id == chosen))}
    addresses: dict[int, dict[str, str]] = {}
    oldest_last = select(Address.person_id, Address.kind, Address.value).where(Address.person_id == chosen)
    in_use = Address.moved_at.asc().nulls_first(), Address.id.desc()
    for person_id, kind, value in session.execute(oldest_last.order_by(*in_use)):
        addresses.setdefault(person_id, {})[kind] = value
    return [_row(people[id_], addresses.get(id_, {}), columns) for id_ in ids if id_ in people]


def every(session: Session, finder: Finder, columns: Sequence[Listed]) -> Iterator[dict[str, Any]]:
    """All that match, read as they come; the session's transaction stays open until the last."""
    ids = iter(session.scalars(finder.sorted().execution_options(yield_per=_STEP)))
    while some := list(islice(ids, _STEP)):
        yield from load(session, some, columns)
        session.expunge_all()


def header(columns: Sequence[Listed]) -> list[str]:
    """As a list's first row has it, so that an export can be taken in again."""
    return [f"{each.name}||{each.type}" if each.group == Group.CUSTOM else each.name for each in columns]


def cells(columns: Sequence[Listed], row: Mapping[str, Any]) -> list[str]:
    """The row of a list, which an import reads to the same values."""
    return [_cell(column, row[column.name]) for column in columns]


def shown(column: Listed, value: object) -> str:
    """The same for people: a list without its brackets, yes and no."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() if all(isinstance(each, str | int | float) for each in value):
            return ", ".join(map(str, value))
    return _cell(column, value)


def _cell(column: Listed, value: Any) -> str:  # noqa: ANN401 (whatever is stored)
    if value is None:
        return ""
    if column.group == Group.CUSTOM:
        try:
            return attributes.write(column.type, value)
        except (TypeError, ValueError, KeyError):  # from before the property had a type
            return str(value)
    return str(value)


def _row(person: Person, addresses: Mapping[str, str], columns: Sequence[Listed]) -> dict[str, Any]:
    row: dict[str, Any] = {"id": person.id}
    for column in columns:
        if column.group == Group.CUSTOM:
            row[column.name] = person.attributes.get(column.name)
        elif column.group == Group.CHANNEL:
            row[column.name] = addresses.get(column.name)
        else:
            row[column.name] = _general(person, addresses, column.name)
    return row


def _general(person: Person, addresses: Mapping[str, str], name: str) -> str | int | None:
    match name:
        case "display_name":
            full = " ".join(filter(None, (person.first_name, person.last_name)))
            return full or person.nickname or addresses.get("phone") or person.distinct_id
        case "enabled":
            return "enabled" if person.enabled else "disabled"
        case "created_at" | "updated_at":
            return f"{getattr(person, name).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    value: str | int | None = getattr(person, name)
    return value
