"""What a person is called on a page: the name we were given, else the one they gave themselves, else their number."""

from sqlalchemy import ColumnElement, func, select

from bot.models.person import Address, Person
from bot.models.words import AddressKind


def name() -> ColumnElement[str]:
    """For a query that selects from Person."""
    return func.coalesce(
        func.nullif(func.concat_ws(" ", Person.first_name, Person.last_name), ""),
        func.nullif(Person.nickname, ""),
        phone(),
        Person.distinct_id,
    )


def phone() -> ColumnElement[str | None]:
    return (
        select(Address.value)
        .where(Address.person_id == Person.id, Address.kind == AddressKind.PHONE)
        .order_by(Address.id)
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )
