"""A chunk of wanted rows → people, addresses and members, in a handful of statements however many rows there are."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from sqlalchemy import BigInteger, CollectionAggregate, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from bot.models.person import Address, Person
from bot.models.words import AddressKind
from broadcasts.imports.roster import COLUMNS, Known, Roster
from broadcasts.imports.rows import Wanted


class RacedError(RuntimeError):
    """Somebody else created one of the same people meanwhile: roll back and take the chunk again."""


_FIND = text("""
    SELECT id FROM person WHERE environment = :environment AND distinct_id = ANY(:names)
    UNION
    SELECT person_id FROM address WHERE environment = :environment AND kind = 'phone' AND value = ANY(:phones)
    UNION
    SELECT person_id FROM address WHERE environment = :environment AND kind = 'email' AND value = ANY(:emails)
""")

_RECORD = (
    f"(id bigint, distinct_id text, given boolean, {', '.join(f'{name} text' for name in COLUMNS)}, attributes jsonb)"
)

_CREATE = text(f"""
    INSERT INTO person (environment, distinct_id, distinct_id_given, {", ".join(COLUMNS)}, attributes)
    SELECT :environment, r.distinct_id, r.given, {", ".join(f"r.{name}" for name in COLUMNS)}, r.attributes
      FROM jsonb_to_recordset(CAST(:people AS jsonb)) AS r{_RECORD}
     ORDER BY r.distinct_id
        ON CONFLICT DO NOTHING
    RETURNING id, distinct_id
""")  # noqa: S608 (built from the names above alone)

_CHANGE = text(f"""
    UPDATE person p
       SET distinct_id = r.distinct_id, distinct_id_given = r.given, attributes = r.attributes, updated_at = now(),
           {", ".join(f"{name} = r.{name}" for name in COLUMNS)}
      FROM jsonb_to_recordset(CAST(:people AS jsonb)) AS r{_RECORD}
     WHERE p.id = r.id
""")  # noqa: S608 (built from the names above alone)

_LEAVE = text("DELETE FROM address WHERE person_id = ANY(:ids) AND kind = :kind")

_MOVE_IN = text("""
    INSERT INTO address (environment, person_id, kind, value)
    SELECT :environment, person_id, :kind, value
      FROM unnest(CAST(:ids AS bigint[]), CAST(:values AS text[])) AS r(person_id, value)
     ORDER BY value
        ON CONFLICT DO NOTHING
    RETURNING id
""")

_JOIN = text("""
    INSERT INTO segment_member (segment_id, person_id, environment)
    SELECT :segment_id, id, :environment FROM unnest(CAST(:ids AS bigint[])) AS r(id) ORDER BY id
        ON CONFLICT DO NOTHING
""")


def load(session: Session, environment: str, rows: Sequence[Wanted]) -> Roster:
    """Everybody the rows may be about, locked until the transaction ends."""
    keys = {
        "names": [row.distinct_id for row in rows if row.distinct_id],
        "phones": [row.phone for row in rows],
        "emails": [row.email for row in rows if row.email],
    }
    ids = list(session.scalars(_FIND, {"environment": environment, **keys}))
    if not ids:
        return Roster()
    found = session.execute(
        select(
            Person.id,
            Person.distinct_id,
            Person.distinct_id_given,
            *(getattr(Person, name) for name in COLUMNS),
            Person.attributes,
        )
        .where(Person.id == _any(ids))
        .order_by(Person.id)
        .with_for_update()
    )
    people = {
        row.id: Known(
            row.id,
            row.distinct_id,
            row.distinct_id_given,
            {name: getattr(row, name) for name in COLUMNS},
            dict(row.attributes),
        )
        for row in found
    }
    _load_addresses(session, people)
    return Roster(people.values())


def save(session: Session, environment: str, segment_id: int, roster: Roster) -> None:
    """Write what the rows changed and make their people members; raises RacedError."""
    created = {person.distinct_id: person for person in roster.people if person.id is None}
    if created:
        made = session.execute(_CREATE, {"environment": environment, "people": _as_json(created.values())}).all()
        if len(made) != len(created):
            raise RacedError
        for id_, name in made:
            created[name].id = id_
    changed = [person for person in roster.people if person.is_changed and person.distinct_id not in created]
    if changed:
        session.execute(_CHANGE, {"people": _as_json(changed)})
    _save_addresses(session, environment, AddressKind.PHONE, roster.people, lambda person: person.new_phone)
    _save_addresses(session, environment, AddressKind.EMAIL, roster.people, lambda person: person.new_email)
    ids = [person.id for person in roster.members]
    session.execute(_JOIN, {"segment_id": segment_id, "environment": environment, "ids": ids})


def _load_addresses(session: Session, people: dict[int, Known]) -> None:
    found = session.execute(
        select(Address.person_id, Address.kind, Address.value).where(
            Address.person_id == _any(list(people)), Address.kind.in_([AddressKind.PHONE, AddressKind.EMAIL])
        )
    )
    for person_id, kind, value in found:
        person = people[person_id]
        (person.phones if kind == AddressKind.PHONE else person.emails).add(value)


def _any(ids: Sequence[int]) -> CollectionAggregate[bool]:
    """One parameter however many ids, where IN would be thousands."""
    return any_(literal(ids, ARRAY(BigInteger)))


def _save_addresses(
    session: Session, environment: str, kind: str, people: Sequence[Known], new: Callable[[Known], str | None]
) -> None:
    moved = {person.id: new(person) for person in people if new(person)}
    if not moved:
        return
    session.execute(_LEAVE, {"ids": list(moved), "kind": kind})
    values: dict[str, Any] = {"environment": environment, "kind": kind}
    made = session.execute(_MOVE_IN, {**values, "ids": list(moved), "values": list(moved.values())}).all()
    if len(made) != len(moved):
        raise RacedError


def _as_json(people: Any) -> str:  # noqa: ANN401 (a view of a dict or a list)
    rows = [
        {
            "id": person.id,
            "distinct_id": person.distinct_id,
            "given": person.is_given,
            **person.columns,
            "attributes": person.attributes,
        }
        for person in people
    ]
    return orjson.dumps(rows).decode()
