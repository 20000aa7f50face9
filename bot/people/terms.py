"""What somebody typed into the search field → conditions on people, each of which an index can answer."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    cast,
    column,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.language import _, figure
from bot.models.person import Address, Person

LONGEST = 200
"""Characters of a search; the words that people are found by are not longer."""
MOST_WORDS = 8

_SPACES = str.maketrans(dict.fromkeys('",[]()', " "))
_PHONE = re.compile(r"[+(]*[0-9][0-9 ()./-]*")
_LEXEME = re.compile(r"('(?:[^']|'')*'):\*")
_FEWEST_DIGITS = 3
_FEWEST_LOCAL = 5
"""Digits without a country's code that are tried with each of them."""
_EDGE = "-_./@:+'"
_LAST = "\U0010ffff"
_LARGEST_ID = 2**63 - 1


class SearchError(ValueError):
    """What was typed cannot be searched for; the text says what would be."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that has to be there: a word of theirs, the beginning of an address, or their number here."""

    words: str
    """As to_tsquery's result is written: 'mona':* & 'has':*; empty if it is an address only."""
    beginnings: tuple[str, ...] = ()
    person_id: int | None = None


_blind: list[Callable[[], bool]] = []


def follow(is_blind: Callable[[], bool]) -> None:
    """From now on, ask this whether whoever is being answered may not see contact; without it, everybody may."""
    _blind[:] = [is_blind]


def is_blind() -> bool:
    return bool(_blind) and _blind[0]()


def read(session: Session, environment: str, typed: str, *, whole: bool = False) -> Sequence[Term]:
    """All of them have to match. Of ways to spell a number, only those that somebody's begins with are left.

    With `whole`, contact is found by all of it alone: by its beginnings, typed one digit after the other, somebody
    who may not see it would find it out. Raises SearchError.
    """
    existing = _whole if whole else _existing
    found = [
        replace(term, beginnings=existing(session, environment, term.beginnings)) if term.beginnings else term
        for term in _terms(typed)
    ]
    if whole:
        found = [replace(term, words=_LEXEME.sub(_ended, term.words)) for term in found]
    worded = [term for term in found if not term.beginnings and term.person_id is None and term.words]
    others = [term for term in found if term not in worded]
    return [Term(" & ".join(term.words for term in worded)), *others] if worded else others


def _terms(given: str) -> Sequence[Term]:
    if "\0" in given:
        raise SearchError(_("The search holds a NUL character, which nobody has: type it anew."))
    if len(given) > LONGEST:
        raise SearchError(
            _(
                "The search has %(length)s characters: %(longest)s are the most.",
                length=figure(len(given)),
                longest=LONGEST,
            )
        )
    typed = given.strip()
    if _is_number(typed, _FEWEST_DIGITS):
        return [_number(typed)]
    words = typed.translate(_SPACES).split()
    if len(words) > MOST_WORDS:
        raise SearchError(
            _("The search has %(length)s words: %(most_words)s are the most.", length=len(words), most_words=MOST_WORDS)
        )
    if len(words) == 1:
        return [_single(words[0])]
    return [_number(word) if _is_number(word, _FEWEST_LOCAL) else _single(word, is_alone=False) for word in words]


def _is_number(typed: str, fewest: int) -> bool:
    return _PHONE.fullmatch(typed) is not None and sum(map(str.isdigit, typed)) >= fewest


def on_row(person: type[Person], terms: Sequence[Term]) -> ColumnElement[bool]:
    """The terms asked of one person after the other: for a walk along a sorted index that soon finds enough."""
    return and_(true(), *(or_(*_row_branches(person, term)) for term in terms))


def as_set(environment: str, person: type[Person], terms: Sequence[Term]) -> ColumnElement[bool]:
    """The same as ids that indexes give at once: for what few people have."""
    return and_(true(), *(_in_set(environment, person, term) for term in terms))


def _row_branches(person: type[Person], term: Term) -> Iterator[ColumnElement[bool]]:
    if term.words:
        yield person.search.bool_op("@@")(_query(term.words))
    elif not term.beginnings and term.person_id is None:
        yield false()
    if term.person_id is not None:
        yield person.id == term.person_id
    if term.beginnings:
        began: ColumnElement[bool] = Address.value.bool_op("^@")(func.any(_array(term.beginnings)))
        there = select(literal(True)).where(Address.person_id == person.id, began).limit(1)
        yield func.coalesce(there.correlate(person).scalar_subquery(), false())


def _in_set(environment: str, person: type[Person], term: Term) -> ColumnElement[bool]:
    branches = list(_set_branches(environment, term))
    worded = person.search.bool_op("@@")(_query(term.words)) if term.words else false()
    if not branches:
        return worded
    if term.words:
        branches.append(select(Person.id).where(Person.search.bool_op("@@")(_query(term.words))))
    found: CompoundSelect[Any] = union(*branches)
    return person.id.in_(found)


def _set_branches(environment: str, term: Term) -> Iterator[Select[Any]]:
    if term.person_id is not None:
        yield select(Person.id).where(Person.id == term.person_id)
    if term.beginnings:
        began = (Address.value.like(_pattern(each)) for each in term.beginnings)
        yield select(Address.person_id).where(Address.environment == environment, or_(*began))


def _existing(session: Session, environment: str, beginnings: Sequence[str]) -> tuple[str, ...]:
    """Of many spellings those that an address begins with: one step in the index for each."""
    begun = func.unnest(_array(beginnings)).table_valued(column("low", Text), name="begun").render_derived()
    first = (
        select(func.starts_with(Address.value, begun.c.low))
        .where(Address.environment == environment, Address.value.bool_op("~>=~")(begun.c.low))
        .order_by(text("address.value USING ~<~"))
        .limit(1)
        .correlate(begun)
        .scalar_subquery()
    )
    return tuple(session.scalars(select(begun.c.low).where(first)))


def _whole(session: Session, environment: str, spelled: Sequence[str]) -> tuple[str, ...]:
    there = select(Address.value).where(Address.environment == environment, Address.value.in_(spelled))
    return tuple(session.scalars(there))


def _ended(lexeme: re.Match[str]) -> str:
    """Contact may also stand in a user id: there, too, its beginning finds nobody."""
    is_contact = "@" in lexeme[1] or sum(map(str.isdigit, lexeme[1])) >= _FEWEST_DIGITS
    return lexeme[1] if is_contact else lexeme[0]


def _pattern(beginning: str) -> str:
    """For LIKE; a constant, of which the planner knows how many begin so."""
    return re.sub(r"([\\%_])", r"\\\1", beginning) + "%"


def _array(texts: Sequence[str]) -> ColumnElement[Any]:
    return literal(list(texts), ARRAY(Text))


def _query(words: str) -> ColumnElement[Any]:
    """PostgreSQL lowers the letters, as it did those of the column."""
    return cast(func.lower(literal(words, Text)), TSQUERY)


def _single(word: str, *, is_alone: bool = True) -> Term:
    """An address is looked for among several words only where it may be one: names would be slow otherwise."""
    number = int(word) if is_alone and word.isascii() and word.isdecimal() else None
    may_be_address = is_alone or "@" in word or sum(map(str.isdigit, word)) >= _FEWEST_LOCAL
    return Term(
        words=_quoted(word),
        beginnings=tuple(dict.fromkeys((word, word.lower(), word.upper()))) if may_be_address else (),
        person_id=number if number is not None and number <= _LARGEST_ID else None,
    )


def _quoted(word: str) -> str:
    """A lexeme by its beginning, as it stands or without the signs around it."""
    bare = word.strip(_EDGE)
    spellings = dict.fromkeys(each for each in (word, bare) if each)
    quoted = ("'" + each.replace("\\", "\\\\").replace("'", "''") + "':*" for each in spellings)
    return f"({' | '.join(quoted)})"


def _number(typed: str) -> Term:
    """A telephone number as anybody may write it, or its beginning; one without spaces may be an id as well."""
    digits = re.sub(r"[^0-9]", "", typed)
    single = _single(typed) if " " not in typed else Term("")
    whole = single.beginnings if digits == typed else ()
    if typed.startswith("+"):
        found = list(_international(digits))
    elif digits.startswith("00"):
        found = list(_international(digits[2:]))
    else:
        found = [f"+{digits}"]
        if len(digits) >= _FEWEST_LOCAL:
            local = sorted({digits, digits.removeprefix("0")})
            found += [f"+{code}{each}" for code in _codes() for each in local]
    beginnings = dict.fromkeys((*whole, *found))
    return Term(single.words, tuple(beginnings), single.person_id)


def _international(digits: str) -> Iterator[str]:
    key = phones.canonical(digits)
    yield f"+{digits}"
    yield key
    if sibling := phones.sibling(key):
        yield sibling


@cache
def _codes() -> tuple[int, ...]:
    return tuple(sorted(set(phones.calling_codes().values())))
