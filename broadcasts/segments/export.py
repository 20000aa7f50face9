"""A segment's people as CSV, in columns a list takes in again; attributes with their types, as `name||TYPE`."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import sheets
from bot.models.person import Address, Person
from bot.models.segment import Segment
from bot.models.words import AddressKind, PropertyType
from bot.people import attributes, properties
from broadcasts.segments import segments

_OWN = ("nickname", "first_name", "last_name")
_KNOWN = ("country", "language", "time_zone")
_HEADER = ("user_id", "phone_number", "email", *_OWN, *_KNOWN)


def as_csv(session: Session, segment: Segment) -> Iterator[bytes]:
    """Guarded against formulas, in pieces; read while `session` is open."""
    return sheets.as_csv(_rows(session, segment))


def _rows(session: Session, segment: Segment) -> Iterator[list[str]]:
    custom = properties.custom(session, segment.environment)
    yield [*_HEADER, *(f"{name}||{kind}" for name, kind in custom.items())]
    for ids in segments.chunks(session, segment):
        reached = _addresses(session, ids)
        for person in session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.id)):
            own = [getattr(person, name) or "" for name in (*_OWN, *_KNOWN)]
            addresses = [reached.get((person.id, kind), "") for kind in (AddressKind.PHONE, AddressKind.EMAIL)]
            values = [_written(kind, person.attributes.get(name)) for name, kind in custom.items()]
            yield [person.distinct_id, *addresses, *own, *values]
        session.expunge_all()


def _addresses(session: Session, ids: list[int]) -> dict[tuple[int, str], str]:
    """The oldest of each kind comes last, and stays."""
    found = select(Address.person_id, Address.kind, Address.value).where(Address.person_id.in_(ids))
    return {(person_id, kind): value for person_id, kind, value in session.execute(found.order_by(Address.id.desc()))}


def _written(kind: PropertyType, value: object) -> str:
    return "" if value is None else attributes.write(kind, value)  # type: ignore[arg-type]  # as JSON has it
