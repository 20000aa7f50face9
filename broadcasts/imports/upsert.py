"""A chunk of wanted rows → people and addresses, in a handful of statements however many rows there are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, CollectionAggregate, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from bot.models.person import Address, Person
from bot.models.words import AddressKind
from broadcasts.imports.copying import copy
from broadcasts.imports.failing import as_json
from broadcasts.imports.reading.rows import Wanted
from broadcasts.imports.roster import COLUMNS, Known, Roster
from broadcasts.imports.staging import Job


class RacedError(RuntimeError):
    """Somebody else created one of the same people meanwhile: roll back and take the chunk again."""


# Lists are unnested: in = ANY(…) the planner looks at each of their values, which takes it longer than finding them.
_FIND = text("""
    SELECT p.id FROM unnest(CAST(:names AS text[])) AS n(name)
      JOIN person p ON p.environment = :environment AND p.distinct_id = n.name
    UNION
    SELECT a.person_id FROM unnest(CAST(:phones AS text[])) AS n(phone)
      JOIN address a ON a.environment = :environment AND a.kind = 'phone' AND a.value = n.phone
    UNION
    SELECT a.person_id FROM unnest(CAST(:emails AS text[])) AS n(email)
      JOIN address a ON a.environment = :environment AND a.kind = 'email' AND a.value = n.email
""")

_IDS = text("SELECT nextval('person_id_seq') FROM generate_series(1, :count)")

_PEOPLE = (
    f"COPY person (id, environment, import_id, distinct_id, distinct_id_given, {', '.join(COLUMNS)}, attributes) "
    "FROM STDIN"
)
_ADDRESSES = "COPY address (environment, person_id, kind, value) FROM STDIN"

_CHANGE = text(f"""
    UPDATE person p
       SET distinct_id = r.distinct_id, distinct_id_given = r.given, attributes = r.attributes, updated_at = now(),
           {", ".join(f"{name} = r.{name}" for name in COLUMNS)}
      FROM jsonb_to_recordset(CAST(:people AS jsonb))
        AS r(id bigint, distinct_id text, given boolean, {", ".join(f"{name} text" for name in COLUMNS)},
             attributes jsonb)
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


_NEW: Mapping[str, Callable[[Known], str | None]] = {
    AddressKind.PHONE: lambda person: person.new_phone,
    AddressKind.EMAIL: lambda person: person.new_email,
}


def load(session: Session, environment: str, rows: Sequence[Wanted]) -> Roster:
    """Everybody the rows may be about, locked until the transaction ends."""
    keys = {
        "names": [row.distinct_id for row in rows if row.distinct_id],
        "phones": [row.phone for row in rows],
        "emails": [row.email for row in rows if row.email],
    }
    ids = list(session.scalars(_FIND, {"environment": environment, **keys}))
    return Roster(known(session, ids).values()) if ids else Roster()


def known(session: Session, ids: list[int]) -> dict[int, Known]:
    """By id, locked until the transaction ends."""
    found = session.execute(
        select(
            Person.id,
            Person.distinct_id,
            Person.distinct_id_given,
            *(getattr(Person, name) for name in COLUMNS),
            Person.attributes,
        )
        .where(Person.id == any_of(ids))
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
    return people


def save(session: Session, job: Job, roster: Roster) -> set[Known]:
    """Write what the rows changed; whom they created. Raises RacedError, or IntegrityError for the same reason."""
    created = sorted((person for person in roster.people if person.id is None), key=lambda person: person.distinct_id)
    changed = [person for person in roster.people if person.before and person.id is not None]
    if changed:
        change(session, changed)
    for kind, new in _NEW.items():
        moved = [person for person in changed if f"address:{kind}" in person.before]
        homes = {person.id: [*filter(None, [new(person)])] for person in moved if person.id}
        move(session, job.environment, kind, homes)
    if created:  # after the others, who may have left a number to them
        _create(session, job, created)
    return set(created)


def _create(session: Session, job: Job, people: Sequence[Known]) -> None:
    """By COPY, which takes half as long as INSERT; where somebody was quicker it raises IntegrityError."""
    for person, id_ in zip(people, session.scalars(_IDS, {"count": len(people)}), strict=True):
        person.id = id_
    copy(
        session,
        _PEOPLE,
        (
            (
                person.id,
                job.environment,
                job.run_id,
                person.distinct_id,
                person.is_given,
                *person.columns.values(),
                as_json(person.attributes),
            )
            for person in people
        ),
    )
    phones = [(person.new_phone, person.id, "phone") for person in people]
    emails = [(person.new_email, person.id, "email") for person in people if person.new_email]
    copy(session, _ADDRESSES, ((job.environment, id_, kind, value) for value, id_, kind in sorted([*phones, *emails])))


def _load_addresses(session: Session, people: dict[int, Known]) -> None:
    found = session.execute(
        select(Address.person_id, Address.kind, Address.value).where(
            Address.person_id == any_of(list(people)), Address.kind.in_([AddressKind.PHONE, AddressKind.EMAIL])
        )
    )
    for person_id, kind, value in found:
        person = people[person_id]
        (person.phones if kind == AddressKind.PHONE else person.emails).add(value)


def any_of(ids: Sequence[int]) -> CollectionAggregate[bool]:
    """One parameter however many ids, where IN would be thousands."""
    return any_(literal(ids, ARRAY(BigInteger)))


def change(session: Session, people: Sequence[Known]) -> None:
    session.execute(_CHANGE, {"people": as_json([_as_record(person) for person in people])})


def move(session: Session, environment: str, kind: str, homes: Mapping[int, Sequence[str]]) -> None:
    """Each of these people has these addresses of the kind in place of their others; raises RacedError."""
    if not homes:
        return
    session.execute(_LEAVE, {"ids": list(homes), "kind": kind})
    arrivals = [(id_, value) for id_, values in homes.items() for value in values]
    given = {"environment": environment, "kind": kind}
    ids, values = [id_ for id_, _ in arrivals], [value for _, value in arrivals]
    made = session.execute(_MOVE_IN, {**given, "ids": ids, "values": values}).all()
    if len(made) != len(arrivals):
        raise RacedError


def _as_record(person: Known) -> dict[str, Any]:
    return {
        "id": person.id,
        "distinct_id": person.distinct_id,
        "given": person.is_given,
        **person.columns,
        "attributes": person.attributes,
    }
