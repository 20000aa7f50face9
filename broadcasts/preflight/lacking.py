"""People of an audience of whom something is unknown that a text needs: found in the database, judged as by the sender.

The database rules out by far the most of them with a condition that errs on one side only: whoever it passes over
certainly has a value. The others are filled in one by one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Final

from sqlalchemy import ColumnElement, Select, Text, cast, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from bot.messages import personalise
from bot.models.broadcast import Broadcast, BroadcastWording
from bot.models.person import Address, Person
from bot.models.words import AddressKind
from bot.people.values import load_values
from broadcasts import membership
from broadcasts.preflight import foreseen

PAGE = 50
_CHUNK = 2000

# What Python's str.strip() takes away, and so leaves blank.
_INK: Final = r"[^\s\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u001c-\u001f]"
_COLUMNS: Final = {
    name: getattr(Person, name)
    for name in ("distinct_id", "first_name", "last_name", "nickname", "country", "language", "time_zone")
}
_ADDRESSES: Final = {"phone_no": AddressKind.PHONE, "email": AddressKind.EMAIL}


def names(session: Session, broadcast: Broadcast) -> tuple[str, ...]:
    """Attributes that stand in a text of it without a default."""
    wordings = select(BroadcastWording.slots).where(BroadcastWording.broadcast_id == broadcast.id)
    texts = [text for slots in (broadcast.slots, *session.scalars(wordings)) for text in slots.values()]
    return tuple(sorted({name for text in texts for name in personalise.required(text)}))


def people(
    session: Session, broadcast: Broadcast, wanted: Sequence[str], after: int = 0
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Ids above `after` of those who lack any of these attributes, in their order, each with which it is.

    Who gets nothing for another reason is left out: nothing need be known of them.
    """
    if not wanted:
        return
    # One look at all of them by a cursor: beginning anew for each chunk, a million people would be sorted many times.
    suspects = session.scalars(_suspects(session, broadcast, wanted, after), execution_options={"yield_per": _CHUNK})
    with closing(suspects):
        for ids in suspects.partitions():
            yield from _judged(session, broadcast, wanted, ids)


def _judged(
    session: Session, broadcast: Broadcast, wanted: Sequence[str], ids: Sequence[int]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    values = load_values(session, ids, wanted)
    found = {id_: lacked for id_ in ids if (lacked := _lacked(wanted, values.get(id_, {})))}
    draft = foreseen.people(session, broadcast, Person.id.in_(found)).subquery("draft")
    judged = foreseen.judge(session, broadcast, draft).subquery("judged")
    reached = select(judged.c.person_id).where(judged.c.reason.is_(None)).order_by(judged.c.person_id)
    return ((id_, found[id_]) for id_ in session.scalars(reached).all())


def _lacked(wanted: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in wanted if not values.get(name, "").strip())


def _suspects(session: Session, broadcast: Broadcast, wanted: Sequence[str], after: int) -> Select[int]:
    members = membership.belongs(session, broadcast)
    perhaps = or_(*(not_(_certain(name)) for name in wanted))
    return select(Person.id).where(members, Person.id > after, perhaps).order_by(Person.id)


def _certain(name: str) -> ColumnElement[bool]:
    """Whether somebody has a value of it beyond doubt; never NULL."""
    if name in _COLUMNS:
        return func.coalesce(_COLUMNS[name], "").regexp_match(_INK)
    if name == "username":
        return Person.distinct_id_given.is_(True)
    if name in _ADDRESSES:
        return exists().where(Address.person_id == Person.id, Address.kind == _ADDRESSES[name])
    held = Person.attributes[name]
    is_plain = func.coalesce(func.jsonb_typeof(held), "null").in_(["string", "number"])
    return is_plain & func.coalesce(cast(held.astext, Text), "").regexp_match(_INK)
