"""Values of people as they were before an import, where they still are as it left them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.goals import noticing
from bot.models.imports import ImportChange
from bot.models.words import AddressKind
from broadcasts.imports import upsert
from broadcasts.imports.roster import COLUMNS, Known
from broadcasts.imports.staging import Job

_ATTRIBUTE, _ADDRESS = "attribute:", "address:"

_OWNERS = text("""
    SELECT value FROM address
     WHERE environment = :environment AND kind = :kind AND value = ANY(:values) AND NOT person_id = ANY(:ids)
""")


def restore(session: Session, job: Job, changes: Sequence[ImportChange]) -> int:
    """Of how many people something was given back; what a later import said of them is left to it."""
    people = upsert.known(session, [change.person_id for change in changes])
    later = _later(session, job.run_id, list(people))
    moves: dict[str, dict[int, list[str]]] = defaultdict(dict)
    restored = set()
    for change in changes:
        person, after = people.get(change.person_id), change.after or {}
        for name, old in (change.before or {}).items():
            if heir := _heir(later.get(change.person_id, ()), name):
                heir.before = {**(heir.before or {}), name: old}
            elif person and _current(person, name) == after.get(name):
                restored.add(change.person_id)
                if name.startswith(_ADDRESS):
                    moves[name.removeprefix(_ADDRESS)][change.person_id] = old
                else:
                    _put_back(person, name, old)
    _write(session, [people[id_] for id_ in restored])
    noticing.attributes_changed(session, job.environment, restored)
    for kind, homes in moves.items():
        _move_back(session, job.environment, kind, homes)
    return len(restored)


def _later(session: Session, run_id: int, ids: list[int]) -> Mapping[int, list[ImportChange]]:
    """What later imports did to the same people, the earliest first."""
    found = session.scalars(
        select(ImportChange)
        .where(ImportChange.person_id == upsert.any_of(ids), ImportChange.import_id > run_id)
        .order_by(ImportChange.import_id)
    )
    later: dict[int, list[ImportChange]] = defaultdict(list)
    for change in found:
        later[change.person_id].append(change)
    return later


def _heir(later: Sequence[ImportChange], name: str) -> ImportChange | None:
    return next((change for change in later if name in (change.after or {})), None)


def _current(person: Known, name: str) -> Any:  # noqa: ANN401 (any JSON value)
    if name.startswith(_ATTRIBUTE):
        return person.attributes.get(name.removeprefix(_ATTRIBUTE))
    if name.startswith(_ADDRESS):
        return sorted(person.phones if name.endswith(AddressKind.PHONE) else person.emails)
    if name in COLUMNS:
        return person.columns[name]
    return person.is_given if name == "distinct_id_given" else person.distinct_id


def _put_back(person: Known, name: str, old: Any) -> None:  # noqa: ANN401 (any JSON value)
    if name.startswith(_ATTRIBUTE):
        person.attributes.pop(name.removeprefix(_ATTRIBUTE), None)
        person.attributes |= {} if old is None else {name.removeprefix(_ATTRIBUTE): old}
    elif name in COLUMNS:
        person.columns[name] = old
    elif name == "distinct_id_given":
        person.is_given = old
    else:
        person.distinct_id = old


def _write(session: Session, people: Sequence[Known]) -> None:
    if people:
        upsert.change(session, people)


def _move_back(session: Session, environment: str, kind: str, homes: Mapping[int, list[str]]) -> None:
    """Addresses as they were; where one is somebody else's by now, the person keeps what they have."""
    values = [value for old in homes.values() for value in old]
    given = {"environment": environment, "kind": kind, "values": values, "ids": list(homes)}
    taken = set(session.scalars(_OWNERS, given))
    free = {id_: old for id_, old in homes.items() if taken.isdisjoint(old)}
    upsert.move(session, environment, kind, free)
