"""People as the list has left them so far: each row is judged as if the ones before it were already stored."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from broadcasts.imports.reading.rows import Wanted

COLUMNS = ("nickname", "first_name", "last_name", "country", "time_zone", "language")


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class ConflictError(ValueError):
    """The row and the people we know contradict each other; the text is the row's comment."""


@dataclass(slots=True, eq=False)
class Known:
    """A person, in the database (`id`) or about to be; what is new has to be written."""

    id: int | None
    distinct_id: str
    is_given: bool
    columns: dict[str, str | None]
    attributes: dict[str, Any]
    phones: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    new_phone: str | None = None
    new_email: str | None = None
    before: dict[str, Any] = field(default_factory=dict)
    """What changed, as it was; the names are those of broadcasts/imports/journal.py."""
    after: dict[str, Any] = field(default_factory=dict)
    """All that the rows say, changed or not."""

    def note(self, name: str, old: Any, new: Any) -> bool:  # noqa: ANN401 (any JSON value)
        """Whether that is a change."""
        self.after[name] = new
        if old == new and type(old) is type(new):
            return False
        self.before.setdefault(name, old)
        return True


class Roster:
    """The people a chunk of rows may be about, found by name, phone and e-mail."""

    def __init__(self, people: Iterable[Known] = ()) -> None:
        self.people: list[Known] = []
        self.members: dict[Known, None] = {}
        self._by_name: dict[str, Known] = {}
        self._by_phone: dict[str, Known] = {}
        self._by_email: dict[str, Known] = {}
        for person in people:
            self._add(person)

    def take(self, wanted: Wanted) -> Outcome:
        """Create or change the row's person; raises ConflictError and then has changed nothing."""
        person = self._find(wanted)
        if wanted.email and self._by_email.get(wanted.email, person) is not person:
            header = wanted.headers["email"]
            raise ConflictError(
                f"{header} {wanted.email} belongs to somebody else already: correct it or leave the cell empty."
            )
        if person is None:
            person = self._create(wanted)
            outcome = Outcome.CREATED
        else:
            outcome = Outcome.UPDATED if self._fill(person, wanted) else Outcome.UNCHANGED
        self.members[person] = None
        return outcome

    def _find(self, wanted: Wanted) -> Known | None:
        named = self._by_name.get(wanted.distinct_id) if wanted.distinct_id else None
        reached = self._by_phone.get(wanted.phone)
        if named and reached and named is not reached:
            raise ConflictError(self._contradiction(wanted, reached))
        if named or not reached or not wanted.distinct_id:
            return named or reached
        if reached.is_given:
            raise ConflictError(self._contradiction(wanted, reached))
        return reached

    @staticmethod
    def _contradiction(wanted: Wanted, owner: Known) -> str:
        header = wanted.headers["phone"]
        whose = f"{wanted.headers.get('distinct_id', 'the person')} {owner.distinct_id}"
        if not owner.is_given:
            whose = "somebody who wrote to us and is not named yet"
        return f"{header} {wanted.phone} belongs to {whose} already: one number is one person. Correct one of the two."

    def _create(self, wanted: Wanted) -> Known:
        columns = {**dict.fromkeys(COLUMNS), "country": wanted.country, **wanted.columns}
        name, is_given = wanted.distinct_id or made_up_name(), wanted.distinct_id is not None
        person = Known(None, name, is_given, columns, dict(wanted.attributes), {wanted.phone})
        person.new_phone, person.new_email = wanted.phone, wanted.email
        if wanted.email:
            person.emails = {wanted.email}
        self._add(person)
        return person

    def _fill(self, person: Known, wanted: Wanted) -> bool:
        """Whether anything changed: what the row says replaces, what it leaves blank stays unless it is to go."""
        has_moved = self._move(person, wanted)
        changed = [has_moved, self._rename(person, wanted)]
        columns: Mapping[str, str | None] = wanted.columns
        if has_moved or person.columns["country"] is None:
            columns = {"country": wanted.country, **columns}
        changed += [person.note(name, person.columns[name], value) for name, value in columns.items()]
        person.columns |= columns
        for name, value in wanted.attributes.items():
            changed.append(person.note(f"attribute:{name}", person.attributes.get(name), value))
        person.attributes |= wanted.attributes
        for name in wanted.blank:
            if name == "email":
                changed.append(self._drop_email(person))
            else:
                changed.append(person.note(f"attribute:{name}", person.attributes.pop(name, None), None))
        return any(changed)

    def _drop_email(self, person: Known) -> bool:
        is_change = person.note("address:email", sorted(person.emails), [])
        for email in person.emails:
            self._by_email.pop(email, None)
        person.emails, person.new_email = set(), None
        return is_change

    def _rename(self, person: Known, wanted: Wanted) -> bool:
        if wanted.distinct_id is None or (person.is_given and wanted.distinct_id == person.distinct_id):
            return False
        self._by_name.pop(person.distinct_id, None)
        self._by_name[wanted.distinct_id] = person
        person.note("distinct_id", person.distinct_id, wanted.distinct_id)
        person.note("distinct_id_given", person.is_given, True)
        person.distinct_id, person.is_given = wanted.distinct_id, True
        return True

    def _move(self, person: Known, wanted: Wanted) -> bool:
        """Give the person the row's addresses in place of their others of the kind."""
        has_moved = False
        person.after["address:phone"] = [wanted.phone]
        if wanted.phone not in person.phones:
            person.note("address:phone", sorted(person.phones), [wanted.phone])
            _take_over(self._by_phone, person, person.phones, wanted.phone)
            person.phones, person.new_phone, has_moved = {wanted.phone}, wanted.phone, True
        if wanted.email and wanted.email not in person.emails:
            person.note("address:email", sorted(person.emails), [wanted.email])
            _take_over(self._by_email, person, person.emails, wanted.email)
            person.emails, person.new_email, has_moved = {wanted.email}, wanted.email, True
        return has_moved

    def _add(self, person: Known) -> None:
        self.people.append(person)
        self._by_name[person.distinct_id] = person
        self._by_phone.update(dict.fromkeys(person.phones, person))
        self._by_email.update(dict.fromkeys(person.emails, person))


def made_up_name() -> str:
    """A distinct id for somebody the list does not name, as for a stranger who writes in."""
    return str(uuid.uuid4())


def _take_over(index: dict[str, Known], person: Known, old: set[str], new: str) -> None:
    for value in old:
        index.pop(value, None)
    index[new] = person
