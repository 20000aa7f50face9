"""The addresses of one person, whose row and whose locks (bot/people/keys.py) the caller holds."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.models.person import Address, Person
from bot.models.words import AddressKind
from bot.people.fields import MOST_ADDRESSES, ProfileError
from bot.people.keys import Key


def set_all(session: Session, person: Person, wanted: Mapping[str, Sequence[Key]]) -> bool:
    """Let there be of each kind exactly these; whether anything changed. Raises ProfileError for somebody else's."""
    if not wanted:
        return False
    there = _there(session, person, wanted)
    gone = there.difference(key for each in wanted.values() for key in each)
    if gone:
        key = tuple_(Address.kind, Address.value)
        session.execute(delete(Address).where(Address.person_id == person.id, key.in_(gone)))
    is_more = add(session, person, [key for each in wanted.values() for key in each])
    return is_more or bool(gone)


def add(session: Session, person: Person, wanted: Sequence[Key]) -> bool:
    """Whether any was new; raises ProfileError for somebody else's."""
    there = _there(session, person, {kind for kind, _ in wanted})
    new = [key for key in wanted if key not in there]
    if not new:
        return False
    for kind in {kind for kind, _ in new}:
        if sum(each == kind for each, _ in [*there, *new]) > MOST_ADDRESSES:
            raise ProfileError({f"addresses.{kind}": f"{MOST_ADDRESSES} addresses of one kind are the most."})
    _refuse_siblings(session, person, new)
    rows = [
        {"environment": person.environment, "person_id": person.id, "kind": kind, "value": value} for kind, value in new
    ]
    stored = insert(Address).values(rows).on_conflict_do_nothing().returning(Address.kind, Address.value)
    kept = {(kind, value) for kind, value in session.execute(stored)}
    if taken := [key for key in new if key not in kept]:
        raise _taken(session, person.environment, taken[0])
    return True


def remove(session: Session, person: Person, address_id: int) -> bool:
    """Whether it was there."""
    gone = delete(Address).where(Address.id == address_id, Address.person_id == person.id).returning(Address.id)
    return session.scalar(gone) is not None


def _there(session: Session, person: Person, kinds: Collection[str]) -> set[Key]:
    mine = select(Address.kind, Address.value).where(Address.person_id == person.id, Address.kind.in_(kinds))
    return {(kind, value) for kind, value in session.execute(mine)}


def _refuse_siblings(session: Session, person: Person, new: Sequence[Key]) -> None:
    """An Argentine number with and without its 9 is one person's."""
    for kind, value in new:
        other = phones.sibling(value) if kind == AddressKind.PHONE else None
        if other is not None and _owner(session, person.environment, (kind, other)) not in {None, person.id}:
            raise _taken(session, person.environment, (kind, other))


def _owner(session: Session, environment: str, key: Key) -> int | None:
    return session.scalar(
        select(Address.person_id).where(
            Address.environment == environment, Address.kind == key[0], Address.value == key[1]
        )
    )


def _taken(session: Session, environment: str, key: Key) -> ProfileError:
    kind, value = key
    problem = f"{value[:80]} is somebody else's already: if the two are one person, merge them."
    return ProfileError({f"addresses.{kind}": problem}, _owner(session, environment, key))
