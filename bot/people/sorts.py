"""What the listing can be sorted by: the one list there is, so that no name of anybody's reaches ORDER BY."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, Text, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from bot.models.person import Address, Person
from bot.models.searching import COUNTRY, NAME
from bot.models.words import AddressKind
from bot.people import properties

DEFAULT = "created_at"
MOST_SORTED = 10_000
"""People who are sorted by what no index answers."""


# By the names of columns alone: they are looked up in whatever stands for person, and only there.
_NAME: SQLColumnExpression[Any] = literal_column(NAME, Text)
COUNTRY_KEY: ColumnElement[str] = literal_column(COUNTRY, Text)
_NOTHING: SQLColumnExpression[Any] = literal_column("'null'::jsonb", JSONB)


class SortError(ValueError):
    """Not to be sorted by; the text says by what."""


@dataclass(frozen=True, slots=True)
class Sort:
    """`key` never gives NULL, so that a page can begin after it; together with the id it is nobody else's."""

    name: str
    key: Callable[[type[Person]], SQLColumnExpression[Any]]
    is_indexed: bool = False


def _text(name: str) -> Sort:
    return Sort(name, lambda person: func.lower(func.coalesce(getattr(person, name), "")))


def _address(kind: AddressKind) -> Sort:
    return Sort(
        kind.value,
        lambda person: func.coalesce(
            select(func.min(Address.value))
            .where(Address.person_id == person.id, Address.kind == kind)
            .correlate(person)
            .scalar_subquery(),
            "",
        ),
    )


_BUILT_IN: Mapping[str, Sort] = {
    each.name: each
    for each in (
        Sort("created_at", lambda person: person.created_at, is_indexed=True),
        Sort("updated_at", lambda person: person.updated_at, is_indexed=True),
        Sort("distinct_id", lambda person: person.distinct_id, is_indexed=True),
        Sort("display_name", lambda _: _NAME, is_indexed=True),
        Sort("country", lambda _: COUNTRY_KEY, is_indexed=True),
        Sort("id", lambda person: person.id),
        Sort("enabled", lambda person: person.enabled),
        *map(_text, ("nickname", "first_name", "last_name", "time_zone", "language")),
        *(_address(kind) for kind in AddressKind if kind.value in properties.BY_NAME),
    )
}

INDEXED = tuple(each.name for each in _BUILT_IN.values() if each.is_indexed)


def find(session: Session, environment: str, name: str) -> Sort:
    """Any property of the environment; raises SortError."""
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name in properties.custom(session, environment):
        return Sort(name, lambda person: func.coalesce(person.attributes[name], _NOTHING))
    raise SortError(
        f"There is no property {name[:100]!r} to sort by: `created_at` and any other property's name can be."
    )
