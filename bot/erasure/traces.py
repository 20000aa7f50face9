"""What a person is recognised by in bodies and files, where no column names them."""

import functools
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.connections.secrets import open_sealed, seal
from bot.models.words import AddressKind
from bot.people import suppressions

_PHONES: Final = (AddressKind.PHONE, AddressKind.SMS)
_TYPED = re.compile(r"(?:whatsapp:)?[+0-9 ().\-\u00a0]{5,40}(?:@\S+)?")
"""How a number may stand alone in a value; a number within a sentence is what somebody said."""
_APART = b" ().-\0"
"""What people write between digits; and UTF-16 has a zero beside each."""
_NOT_DIGITS = re.compile(r"[^0-9]")
_SHORTEST_NAME = 3
_SHORTEST_NUMBER = 6

_ADDRESSES = text("SELECT kind, value FROM address WHERE person_id = :id ORDER BY id")
_FORMER = text("SELECT gone_distinct_id FROM person_merge WHERE person_id = :id ORDER BY id")


@dataclass(frozen=True, slots=True)
class Traces:
    """What finds the person, and what only names them where they were found."""

    numbers: tuple[str, ...]
    """Digits with country code, in every form a provider may use."""
    ids: tuple[str, ...]
    """User ids, e-mails and what else they are reached by."""
    distinct_ids: tuple[str, ...]
    """Ours: may be as short as 7, so that only a column of ids finds anybody by them."""
    words: tuple[str, ...]
    """Names, which are others' too."""

    def is_named_by(self, value: object) -> bool:
        """Whether a value, alone in its field, is the person's number with country code, or an id."""
        return _is_id(self.ids, value) or _digits(value) in self.numbers

    def is_in_cell(self, value: str) -> bool:
        """The same for a list, where a number may stand as it is dialled within its country."""
        return _is_id(self.ids, value) or (_digits(value) or "").lstrip("0") in _dialled(self.numbers)

    def needles(self) -> list[bytes]:
        """What a body that names them holds somewhere, byte for byte."""
        return [found.encode() for found in (*self.numbers, *self.ids)]

    def may_be_in(self, content: bytes) -> bool:
        """Whether a look at the values is worth it: a number may stand there, however set apart, or an id."""
        plain = content.translate(None, _APART).lower()
        return any(needle in plain for needle in _plain((*_dialled(self.numbers), *self.ids, *self.distinct_ids)))

    def spellings(self) -> list[str]:
        """As a provider may name a recipient."""
        return [*self.numbers, *(f"+{number}" for number in self.numbers), *self.ids]

    def found_in(self) -> list[str]:
        """Patterns for ILIKE that find a text about the person."""
        return [f"%{_escaped(found)}%" for found in (*self.numbers, *self.ids)]

    def named_in(self) -> list[str]:
        """Patterns for a text that is the person's own row's: names and distinct ids count there."""
        return [*self.found_in(), *(f"%{_escaped(word)}%" for word in (*self.distinct_ids, *self.words))]


def of_person(session: Session, person_id: int, names: Iterable[str | None], distinct_id: str) -> Traces:
    """Before anything of them goes."""
    addresses = session.execute(_ADDRESSES, {"id": person_id}).all()
    numbers = [found for kind, value in addresses if kind in _PHONES for found in _spelled(value)]
    ids = [value for kind, value in addresses if kind not in _PHONES]
    distinct_ids = [distinct_id, *session.scalars(_FORMER, {"id": person_id})]
    words = [word for name in names if name for word in (name, *name.split()) if len(word) >= _SHORTEST_NAME]
    return Traces(*map(_unique, (numbers, ids, distinct_ids, words)))


def keys_of(session: Session, person_id: int, distinct_id: str) -> list[suppressions.Key]:
    """What is suppressed from now on."""
    found = [(row.kind, row.value) for row in session.execute(_ADDRESSES, {"id": person_id})]
    distinct = (distinct_id, *session.scalars(_FORMER, {"id": person_id}))
    return [*found, *((suppressions.DISTINCT_ID, value) for value in distinct)]


def sealed(secret_key: str, traces: Traces) -> bytes:
    return seal(secret_key, {"traces": orjson.dumps(asdict(traces)).decode()})


def unsealed(secret_key: str, kept: bytes) -> Traces:
    """Raises SealError where the secret key was changed since."""
    told = orjson.loads(open_sealed(secret_key, kept)["traces"])
    return Traces(**{name: tuple(values) for name, values in told.items()})


def _spelled(value: str) -> list[str]:
    """Every form of one number that a provider or a list may know it by, as digits."""
    canonical = phones.canonical(value)
    forms = [value, canonical, phones.sibling(canonical), *phones.former(canonical)]
    return [_NOT_DIGITS.sub("", form) for form in forms if form]


def _is_id(ids: tuple[str, ...], value: object) -> bool:
    return isinstance(value, str) and value.strip().casefold() in _folded(ids)


def _digits(value: object) -> str | None:
    """Of a number that stands alone."""
    told = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(told, str) or not _TYPED.fullmatch(told):
        return None
    return _NOT_DIGITS.sub("", told.partition("@")[0])


@functools.lru_cache(maxsize=16)
def _folded(ids: tuple[str, ...]) -> frozenset[str]:
    return frozenset(found.strip().casefold() for found in ids)


@functools.lru_cache(maxsize=16)
def _plain(found: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(one.encode().translate(None, _APART).lower() for one in found)


@functools.lru_cache(maxsize=16)
def _dialled(numbers: tuple[str, ...]) -> frozenset[str]:
    national = (phones.national(f"+{number}") for number in numbers)
    return frozenset({*numbers, *(number for number in national if number and len(number) > _SHORTEST_NUMBER)})


def _unique(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in found if one))


def _escaped(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)
