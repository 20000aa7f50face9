"""Making one of two people by hand: first what would become of both, then, once somebody has looked, the merge."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from bot.db import Base
from bot.language import _
from bot.models.conversation import Conversation
from bot.models.journey import Reminder
from bot.models.message import Message
from bot.models.person import Address, ConsentEvent, Person
from bot.models.preference import Preference
from bot.models.segment import SegmentMember
from bot.models.words import AddressKind
from bot.people import consent, keys, merge
from bot.providers.events import Sender

_COLUMNS: Mapping[str, str] = {
    "nickname": "Nickname",
    "first_name": "First name",
    "last_name": "Last name",
    "country": "Country",
    "time_zone": "Time zone",
    "language": "Language",
}
_ON = {True: "on", False: "off"}
_STOPPED = {True: "stopped", False: "not stopped"}
_MOVES: Mapping[str, type[Any]] = {
    "addresses": Address,
    "messages": Message,
    "conversations": Conversation,
    "segments": SegmentMember,
    "words of consent": ConsentEvent,
    "preferences": Preference,
    "reminders": Reminder,
}


class MergeError(ValueError):
    """These two cannot become one; the text says why."""


@dataclass(frozen=True, slots=True)
class Field:
    """A value of either, and of the one they become: `winner` is stays, goes, both or neither."""

    label: str
    stays: str | None
    goes: str | None
    result: str | None
    winner: str

    @property
    def is_conflict(self) -> bool:
        """Both say something, and not the same."""
        return self.stays is not None and self.goes is not None and self.stays != self.goes


@dataclass(frozen=True, slots=True)
class Preview:
    stays: Person
    goes: Person
    reason: str
    """Why that one stays."""
    fields: Sequence[Field]
    moves: Mapping[str, int]
    """How many of each come along from the one who goes."""
    joined: Mapping[str, int]
    """How many of each both have, and which become one: conversations with the same number, segments, broadcasts."""


def preview(session: Session, person_id: int, other_id: int) -> Preview:
    """In whichever order the two are named; raises MergeError."""
    stays, goes = _ordered(session, person_id, other_id)
    return Preview(
        stays=stays,
        goes=goes,
        reason=_reason(stays, goes),
        fields=[*_columns(stays, goes), *_switches(session, stays, goes), *_attributes(stays, goes)],
        moves={name: _count(session, model, goes.id) for name, model in _MOVES.items()},
        joined={
            "conversations": _shared(session, Conversation, "number_id", stays, goes),
            "segments": _shared(session, SegmentMember, "segment_id", stays, goes),
            "broadcasts": _shared(session, Message, "broadcast_id", stays, goes),
        },
    )


def become_one(session: Session, person_id: int, other_id: int, reason: str, *, expected: int | None = None) -> int:
    """Id of who stayed, which must be `expected` if that is told. For good: nothing takes them apart again.

    Raises MergeError.
    """
    keys.lock(session, _senders(session, (person_id, other_id)))
    stays, goes = _ordered(session, person_id, other_id)
    if expected not in {None, stays.id}:
        raise MergeError(_("They changed since you looked: see again who stays."))
    return merge.merge(session, [stays.id, goes.id], reason)


def _ordered(session: Session, person_id: int, other_id: int) -> tuple[Person, Person]:
    if person_id == other_id:
        raise MergeError(_("That is one and the same person: choose another."))
    ids = merge.ranked(session, (person_id, other_id))
    if missing := {person_id, other_id} - set(ids):
        raise MergeError(
            _("There is no person %(missing)s: perhaps they were made one with somebody already.", missing=min(missing))
        )
    stays, goes = (session.get_one(Person, id_, populate_existing=True) for id_ in ids)
    if stays.environment != goes.environment:
        raise MergeError(_("One belongs to Live and one to Test: nobody crosses from one to the other."))
    if stays.erased_at is not None or goes.erased_at is not None:
        raise MergeError(_("One of them was erased: there is nothing left to make one."))
    return stays, goes


def _senders(session: Session, ids: Sequence[int]) -> Iterator[tuple[str, Sender]]:
    """Their addresses, as the intake locks them."""
    for address in session.scalars(select(Address).where(Address.person_id.in_(ids))):
        if address.kind == AddressKind.PHONE:
            yield address.environment, Sender(phone=address.value)
        elif address.kind == AddressKind.USER_ID:
            yield address.environment, Sender(user_id=address.value)


def _reason(stays: Person, goes: Person) -> str:
    if stays.distinct_id_given and not goes.distinct_id_given:
        return "Their user ID was given; the other's was made up by Backchat."
    return "They have been known longer."


def _columns(stays: Person, goes: Person) -> Iterator[Field]:
    yield Field("User ID", stays.distinct_id, goes.distinct_id, stays.distinct_id, "stays")
    for name, label in _COLUMNS.items():
        yield _field(label, getattr(stays, name), getattr(goes, name))


def _attributes(stays: Person, goes: Person) -> Iterator[Field]:
    for name in sorted(stays.attributes.keys() | goes.attributes.keys()):
        yield _field(name, _shown(stays.attributes.get(name)), _shown(goes.attributes.get(name)))


def _field(label: str, stays: str | None, goes: str | None) -> Field:
    """Where both say something, whoever stays is believed."""
    if stays is None and goes is None:
        return Field(label, None, None, None, "neither")
    if stays is None:
        return Field(label, None, goes, goes, "goes")
    return Field(label, stays, goes, stays, "both" if stays == goes else "stays")


def _switches(session: Session, stays: Person, goes: Person) -> Iterator[Field]:
    """A no under one name is a no; but of what they said themselves their latest word counts."""
    yield _decided("Messages", _ON[stays.enabled], _ON[goes.enabled], _ON[stays.enabled and goes.enabled])
    mine, other = (_STOPPED[each.marketing_opted_out_at is not None] for each in (stays, goes))
    said = session.scalar(
        select(ConsentEvent.value)
        .where(
            ConsentEvent.person_id.in_((stays.id, goes.id)),
            ConsentEvent.category == consent.MARKETING,
            ConsentEvent.value.in_((consent.STOP, consent.RESUME)),
        )
        .order_by(ConsentEvent.occurred_at.desc(), (ConsentEvent.value == consent.STOP).desc())
        .limit(1)
    )
    is_stopped = said == consent.STOP if said else _STOPPED[True] in {mine, other}
    yield _decided("Marketing", mine, other, _STOPPED[is_stopped])


def _decided(label: str, stays: str, goes: str, result: str) -> Field:
    winner = "both" if stays == goes else "stays" if result == stays else "goes"
    return Field(label, stays, goes, result, winner)


def _shown(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _count(session: Session, model: type[Any], person_id: int) -> int:
    return session.scalar(select(func.count()).select_from(model).where(model.person_id == person_id)) or 0


def _shared(session: Session, model: type[Any], column: str, stays: Person, goes: Person) -> int:
    """Of how many different things both have one."""
    table: Table = Base.metadata.tables[model.__tablename__]
    mine, other = table.alias(), table.alias()
    query = select(func.count(mine.c[column].distinct())).where(
        mine.c.person_id == stays.id, other.c.person_id == goes.id, mine.c[column] == other.c[column]
    )
    return session.scalar(query) or 0
