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
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast
from bot.models.person import Address, Person
from bot.models.words import AddressKind
from bot.people.values import load_values
from broadcasts.audience import membership
from broadcasts.preflight import foreseen
from broadcasts.preflight.needing import Need

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


def people(
    session: Session, broadcast: Broadcast, wanted: Sequence[Need], after: int = 0
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Ids above `after` of those who lack any of these attributes, in their order, each with which it is.

    Who gets nothing for another reason is left out: nothing need be known of them.
    """
    return _found(session, broadcast, wanted, and_(Person.id > after, lacks_perhaps(wanted)))


def doubtful(session: Session, broadcast: Broadcast, wanted: Sequence[Need]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Those of them of whom `suffices` cannot tell about each attribute."""
    return _found(session, broadcast, wanted, or_(false(), *(suffices(need).is_(None) for need in wanted)))


def lacks_perhaps(wanted: Sequence[Need]) -> ColumnElement[bool]:
    """Of a person, whoever they are: not everything they need is certainly known of them."""
    return or_(false(), *(suffices(need).is_not(True) for need in wanted))


def suffices(need: Need) -> ColumnElement[bool | None]:
    """Whether what a person would read does without it, or they have it; NULL where only filling it in can tell."""
    known = is_known(need.name)
    return known if need.whose is None else case((not_(need.whose), true()), else_=known)


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
    session: Session, broadcast: Broadcast, wanted: Sequence[Need], who: ColumnElement[bool]
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
    session: Session, broadcast: Broadcast, wanted: Sequence[Need], ids: Sequence[int]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    values = load_values(session, ids, [need.name for need in wanted])
    found = {id_: lacked for id_, names in _read_by(session, wanted, ids) if (lacked := _lacked(names, values[id_]))}
    draft = foreseen.people(session, broadcast, Person.id.in_(found)).subquery("draft")
    judged = foreseen.judge(session, broadcast, draft).subquery("judged")
    reached = select(judged.c.person_id).where(judged.c.reason.is_(None)).order_by(judged.c.person_id)
    return ((id_, found[id_]) for id_ in session.scalars(reached).all())


def _read_by(session: Session, wanted: Sequence[Need], ids: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    """Each of them with the attributes that stand in what they would read."""
    asked = [true() if need.whose is None else need.whose for need in wanted]
    for id_, *needed in session.execute(select(Person.id, *asked).where(Person.id.in_(ids))):
        yield id_, [need.name for need, theirs in zip(wanted, needed, strict=True) if theirs]


def _lacked(names: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in names if not values.get(name, "").strip())
