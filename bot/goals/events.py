"""What programs tell of people: an order that was paid, a lesson that was done. Told twice by its key, it is one."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.goals import conditions, noticing
from bot.goals.conditions import ConditionError
from bot.goals.noticing import Happened
from bot.language import _
from bot.models.goals import PersonEvent
from bot.models.person import Person

LARGEST: Final = 16_384
"""Bytes of an event's attributes, as JSON."""
LONGEST_KEY: Final = 255
_AHEAD: Final = timedelta(minutes=5)


class EventError(ValueError):
    """The event cannot be kept; `field` is what is wrong with it, and the text what would be right."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def tell(session: Session, person: Person, given: Mapping[str, Any], token_id: int | None) -> tuple[PersonEvent, bool]:
    """{"name", "at"?, "attributes"?, "key"?} → the event, and whether it is new; raises EventError."""
    name, at = _name(given.get("name")), _at(given.get("at"))
    row = {
        "environment": person.environment,
        "person_id": person.id,
        "name": name,
        "at": at,
        "attributes": _attributes(given.get("attributes", {})),
        "key": _key(given.get("key")),
        "token_id": token_id,
    }
    made = session.scalar(insert(PersonEvent).values(row).on_conflict_do_nothing().returning(PersonEvent.id))
    if made is None:
        return _again(session, row, is_timed=given.get("at") is not None), False
    noticing.happened(session, person.environment, [Happened(person.id, name, at)])
    return session.get_one(PersonEvent, made), True


def _again(session: Session, row: Mapping[str, Any], *, is_timed: bool) -> PersonEvent:
    known = select(PersonEvent).where(*(getattr(PersonEvent, each) == row[each] for each in _UNIQUE))
    found = session.scalars(known).one()
    if found.attributes != row["attributes"] or (is_timed and found.at != row["at"]):
        raise EventError("key", _("This key was used for another event of that name: take a new one."))
    return found


_UNIQUE: Final = ("environment", "person_id", "name", "key")


def _name(given: object) -> str:
    try:
        return conditions.event_name(given)
    except ConditionError as error:
        raise EventError("name", str(error)) from error


def _at(given: object) -> datetime:
    """However long ago; without it, now."""
    now = datetime.now(UTC)
    if given is None:
        return now
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.year < 2009:
        raise EventError("at", _("Say when with its zone, as 2030-03-01T09:30:00Z, or leave it out for now."))
    if at > now + _AHEAD:
        raise EventError("at", _("That is still to come: tell it once it has happened."))
    return at


def _attributes(given: object) -> dict[str, Any]:
    if not isinstance(given, dict) or len(told := orjson.dumps(given)) > LARGEST or b"\\u0000" in told:
        largest = LARGEST
        raise EventError("attributes", _("Attributes are an object of %(largest)s bytes at most.", largest=largest))
    return given


def _key(given: object) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or not 0 < len(given) <= LONGEST_KEY or not given.isprintable():
        longest = LONGEST_KEY
        raise EventError("key", _("A key is a text of 1 to %(longest)s characters.", longest=longest))
    return given
