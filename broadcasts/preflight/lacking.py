"""People of an audience of whom something is unknown that a text needs: found in the database, judged as by the sender.

The database tells of nearly everybody whether they have a value. Only those of whom it cannot tell are filled in one
by one to be counted, and those who are listed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from bot.messages import personalise
from bot.models.broadcast import Broadcast, BroadcastWording
from bot.models.person import Address, Person
from bot.models.words import AddressKind
from bot.people import links
from bot.people.values import load_values
from broadcasts.audience import membership
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
# Some of what Python's str.isalpha() takes for letters: Latin, Cyrillic, Hebrew, Arabic, Devanagari, Chinese.
_LETTER: Final = (
    r"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0410-\u044f\u05d0-\u05ea"
    r"\u0620-\u064a\u0905-\u0939\u4e00-\u9fff]"
)
_UNTOLD: Final = cast(null(), Boolean)


def names(session: Session, broadcast: Broadcast) -> tuple[str, ...]:
    """Attributes that stand in a text of it without a default."""
    wordings = select(BroadcastWording.slots).where(BroadcastWording.broadcast_id == broadcast.id)
    texts = [text for slots in (broadcast.slots, *session.scalars(wordings)) for text in slots.values()]
    found = {name for text in texts for name in personalise.required(text)}
    return tuple(sorted(found - links.names(session, broadcast.environment)))  # everybody has those


def people(
    session: Session, broadcast: Broadcast, wanted: Sequence[str], after: int = 0
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Ids above `after` of those who lack any of these attributes, in their order, each with which it is.

    Who gets nothing for another reason is left out: nothing need be known of them.
    """
    return _found(session, broadcast, wanted, and_(Person.id > after, lacks_perhaps(wanted)))


def doubtful(session: Session, broadcast: Broadcast, wanted: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Those of them of whom `is_known` cannot tell about each attribute."""
    return _found(session, broadcast, wanted, or_(false(), *(is_known(name).is_(None) for name in wanted)))


def lacks_perhaps(wanted: Sequence[str]) -> ColumnElement[bool]:
    """Of a person, whoever they are: not everything is certainly known of them."""
    return or_(false(), *(is_known(name).is_not(True) for name in wanted))


def is_known(name: str) -> ColumnElement[bool | None]:
    """Whether a person has a value of it, as the sender would find; NULL where only filling it in can tell."""
    own: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = []
    if name in _COLUMNS:
        own = [(_COLUMNS[name] != "", _COLUMNS[name].regexp_match(_INK))]
    if name == "first_name":
        own += [(Person.nickname.regexp_match(_LETTER), true()), (Person.nickname.regexp_match(_INK), _UNTOLD)]
    if name == "username":
        own = [(and_(Person.distinct_id_given, Person.distinct_id != ""), Person.distinct_id.regexp_match(_INK))]
    if name in _ADDRESSES:
        own = [(exists().where(Address.person_id == Person.id, Address.kind == _ADDRESSES[name]), true())]
    return case(*own, *_attribute(name), else_=false())


def _attribute(name: str) -> Iterator[tuple[ColumnElement[bool], ColumnElement[Any]]]:
    held = Person.attributes[name]
    kind = func.jsonb_typeof(held)
    yield kind == "string", held.astext.regexp_match(_INK)
    yield kind.in_(["number", "boolean"]), true()
    yield kind == "array", _UNTOLD
    # "office.no" may be the no of an office.
    if above := [name[:at] for at, letter in enumerate(name) if letter == "."]:
        yield Person.attributes.has_any(literal(above, ARRAY(Text))), _UNTOLD


def _found(
    session: Session, broadcast: Broadcast, wanted: Sequence[str], who: ColumnElement[bool]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    if not wanted:
        return
    # One look at all of them by a cursor: beginning anew for each chunk, a million people would be sorted many times.
    chosen = select(Person.id).where(membership.belongs(session, broadcast), who).order_by(Person.id)
    suspects = session.scalars(chosen, execution_options={"yield_per": _CHUNK})
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
