"""What somebody typed or sent about a person → columns and addresses as they are stored, or what is wrong with each."""

import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from bot import phone as phones
from bot.language import _, figure, later, translated
from bot.models.words import AddressKind
from bot.people.attributes import AttributeValueError
from bot.people.formats import short_text
from bot.people.keys import Key

LONGEST_NAME = 200
LONGEST_ADDRESS = 1000
"""Of any kind; an index holds it whole."""
MOST_ADDRESSES = 20
"""Of one kind and one person."""

_KINDS: Mapping[type, str] = {
    bool: later("true or false"),
    int: later("a number"),
    float: later("a number"),
    list: later("a list"),
    dict: later("an object"),
}
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8})*")


class FieldError(ValueError):
    """The text says what is wrong with one field and what would be right."""


class ProfileError(ValueError):
    """`problems` says of each field, by its path such as `addresses.email`, what is wrong and what would be right."""

    def __init__(self, problems: Mapping[str, str], owner_id: int | None = None) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)
        self.owner_id = owner_id
        """Who has the address or the distinct id already, if that is what is wrong."""


def column(name: str, given: object) -> str | bool | None:
    """A column's value; blank is None, except where somebody must have one."""
    return COLUMNS[name](given)


def addresses(kind: AddressKind, given: object, country: str | None) -> list[Key]:
    """One address or a list of them, none for null; `country` completes phone numbers without a country code."""
    listed = given if isinstance(given, list) else [] if given in (None, "") else [given]
    if len(listed) > MOST_ADDRESSES:
        raise FieldError(
            _(
                "%(count)s addresses of one kind are too many: %(most)s are the most.",
                count=len(listed),
                most=MOST_ADDRESSES,
            )
        )
    found = dict.fromkeys(_address(kind, _text(each, LONGEST_ADDRESS), country) for each in listed)
    return [(kind.value, value) for value in found if value]


def problems_of(reads: Iterable[tuple[str, Callable[[], Any]]]) -> tuple[dict[str, Any], dict[str, str]]:
    """(what could be read, what is wrong) by name: one sentence for each field, and all fields at once."""
    read: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, work in reads:
        try:
            read[name] = work()
        except AttributeValueError as error:
            wrong[name] = f"{name.removeprefix('attributes.')} {error}"
        except FieldError as error:
            wrong[name] = str(error)
    return read, wrong


def _text(given: object, longest: int = LONGEST_NAME) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str):
        raise FieldError(_("This must be a text and not %(kind)s.", kind=_kind_of(given)))
    try:
        text = short_text(given).strip()
    except AttributeValueError as error:
        raise FieldError(_("This %(error)s", error=error)) from None
    if len(text) > longest:
        raise FieldError(
            _("This has %(count)s characters; %(most)s are the most.", count=figure(len(text)), most=figure(longest))
        )
    if any(ord(character) < 32 for character in text):
        raise FieldError(_("This holds a line break or a control character: write it on one line."))
    return text or None


def _distinct_id(given: object) -> str:
    text = _text(given)
    if text is None:
        raise FieldError(_("A distinct ID cannot be blank: every person has one of their own."))
    return text


def _country(given: object) -> str | None:
    text = _text(given)
    if text is not None and text.upper() not in phones.calling_codes():
        raise FieldError(_("%(given)s is not a country code of two letters: write it like EG or DE.", given=text[:40]))
    return text and text.upper()


def _time_zone(given: object) -> str | None:
    text = _text(given)
    if text is not None and text not in time_zones():
        raise FieldError(_("%(given)s is not a time zone: write it like Africa/Cairo.", given=text[:60]))
    return text


def _language(given: object) -> str | None:
    text = _text(given)
    if text is not None and not _LANGUAGE.fullmatch(text):
        raise FieldError(_("%(given)s is not a language code: write it like en or pt_BR.", given=text[:40]))
    return text


def _enabled(given: object) -> bool:
    if not isinstance(given, bool):
        raise FieldError(_("This must be true or false and not %(kind)s.", kind=_kind_of(given)))
    return given


COLUMNS: Mapping[str, Callable[[object], str | bool | None]] = {
    "distinct_id": _distinct_id,
    "nickname": _text,
    "first_name": _text,
    "last_name": _text,
    "country": _country,
    "time_zone": _time_zone,
    "language": _language,
    "enabled": _enabled,
}
"""Everything of a person that a form or a program may set, besides addresses and attributes."""


@cache
def time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _address(kind: AddressKind, text: str | None, country: str | None) -> str | None:
    if text is None:
        return None
    if kind in {AddressKind.PHONE, AddressKind.SMS}:
        return _phone(text, country)
    if kind is AddressKind.EMAIL and not _EMAIL.fullmatch(text):
        raise FieldError(_("%(given)s is not an e-mail address: write it like mona@example.org.", given=text[:80]))
    return text.lower() if kind is AddressKind.EMAIL else text


def _phone(text: str, country: str | None) -> str:
    try:
        return phones.parse(text, None if text.startswith("+") else country).e164
    except phones.PhoneError as error:
        raise FieldError(
            _(
                "%(given)s cannot be used because %(error)s: write plus, country code and number, like +201012345678.",
                given=text[:40],
                error=error,
            )
        ) from None


def _kind_of(given: object) -> str:
    return translated(_KINDS.get(type(given), "null"))
