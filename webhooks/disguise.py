"""Real traffic made fit to be kept as a test: same shape, nobody's name, number, words or ids.

What is not known to be harmless is masked: letters become x, digits 0, everything else stays, so that lengths, line
breaks and emoji are still what they were. Identifiers are replaced one by one, the same by the same.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from bot.providers import cloud_json, form
from bot.providers.base import QUERY

_HARMLESS = frozenset(
    """
    object field messaging_product type status event timestamp mime_type category direction code created_at currency
    language message_template_language lang_code origin voice pricing_model billable animated forwarded
    frequently_forwarded media_type source_type new_quality_score previous_quality_score new_category
    previous_category correct_category current_limit old_limit max_daily_conversations_per_business decision value
    reason time expiration_timestamp quantity recipient_type messagestatus smsstatus errorcode nummedia
    mediacontenttype apiversion channelprefix messagetype channel http_code x-turn-hook-subscription x-turn-event
    x-turn-fallback-channel
    """.split()  # noqa: SIM905 (a list would take a line for each)
)
"""Members, in lower case, whose values name kinds, times and amounts, and nobody; as long as they look like it."""
_TELLS_TIME = frozenset({"timestamp", "created_at", "time", "expiration_timestamp"})
_OF_PEOPLE = frozenset({"phones", "emails", "addresses", "urls"})
"""Of a shared contact: there even a `type` is what somebody called it."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_WORD = re.compile(r"[A-Za-z0-9_.:/+-]{0,64}(?:; ?[a-z]+=[A-Za-z0-9.,_-]+)?(?: [0-9:.+-]+)?")
"""The word of a list, a type of file with its codec, or a date with its time."""

_PHONE = re.compile(r"(?:whatsapp:)?\+?[0-9][0-9 ().-]{5,24}")
_USER_ID = re.compile(r"([A-Z]{2}\.(?:ENT\.)?)[A-Za-z0-9]{6,128}")
_IDENTIFIER = re.compile(r"(?=.*[0-9])[A-Za-z0-9_.:=/+-]{12,}")
_MILLISECONDS = range(10**12, 10**13)
_SMALL = 10**6
_PHONE_DIGITS = 7
_TIMES = frozenset({"timestamp", "created_at"})


class Disguise:
    """One disguise for all that is recorded at a time: the same person is the same stand-in everywhere in it."""

    def __init__(self) -> None:
        self._stand_ins: dict[str, str] = {}
        self._made = 0

    def body(self, raw: bytes, content_type: str) -> bytes:
        """A JSON document or a form; raises ValueError if it is neither."""
        try:
            return orjson.dumps(self.value("", cloud_json.read(raw)))
        except cloud_json.UnreadableBodyError:
            if "json" in content_type or not form.pairs(raw):
                raise ValueError("the body is neither JSON nor a form") from None
        return self.query(raw.decode("utf-8", "replace")).encode()

    def headers(self, kept: Mapping[str, str]) -> dict[str, str]:
        """Of the headers stored with a body; QUERY among them."""
        return {name: self.query(value) if name == QUERY else self.value(name, value) for name, value in kept.items()}

    def query(self, told: str) -> str:
        """The query of an address: its names stay, as far as they are any."""
        pairs = form.pairs(told.encode())
        return urlencode([(self._name(name), str(self.value(name, value))) for name, value in pairs])

    def value(self, name: str, value: Any) -> Any:  # noqa: ANN401 (any JSON value)
        """What stands in for the value of the member `name`."""
        match value:
            case dict():
                names = {key: "" if name in _OF_PEOPLE else str(key) for key in value}
                return {self._name(str(key)): self.value(names[key], each) for key, each in value.items()}
            case list():
                return [self.value(name, each) for each in value]
        return value if _is_harmless(name.lower().rstrip("0123456789"), value) else self._plain(value)

    def _name(self, name: str) -> str:
        return name if _NAME.fullmatch(name) else self.text(name)

    def _plain(self, value: Any) -> Any:  # noqa: ANN401 (any JSON value)
        match value:
            case str():
                return self.text(value)
            case float():
                return 0.5  # a place on the map
            case int() if abs(value) < _SMALL:
                return value
            case int():
                digits = len(str(abs(value)))
                return int(self._stand_in(str(value), lambda n: str(10 ** (digits - 1) + n)))
        return value

    def text(self, value: str) -> str:
        """What stands in for a text: another number or id of its form, or its mask."""
        if _PHONE.fullmatch(value):
            return self._phone(value)
        if found := _USER_ID.fullmatch(value):
            return self._stand_in(value, lambda n: f"{found[1]}{700000 + n}")
        if _IDENTIFIER.fullmatch(value):
            prefix = "wamid." if value.startswith("wamid.") else ""
            return self._stand_in(value, lambda n: f"{prefix}ID{n:06}")
        return "".join(map(_masked, value))

    def _phone(self, value: str) -> str:
        """The country stays, for it decides how a number is read; the digits behind it are made up."""
        digits = re.sub(r"[^0-9]", "", value)
        made = self._stand_in(digits, lambda n: digits[:3] + str(55500000000 + n)[3 - len(digits) :])
        prefix = value[: re.search(r"[0-9]", value).start()]  # type: ignore[union-attr]  # the form has a digit
        return prefix + made

    def _stand_in(self, value: str, make: Callable[[int], str]) -> str:
        if value not in self._stand_ins:
            self._made += 1
            self._stand_ins[value] = make(self._made)
        return self._stand_ins[value]


def _is_harmless(name: str, value: object) -> bool:
    if name not in _HARMLESS or (isinstance(value, str) and not _WORD.fullmatch(value)):
        return False
    return name in _TELLS_TIME or sum(map(str.isdigit, str(value))) < _PHONE_DIGITS


def _masked(sign: str) -> str:
    if sign.isdigit():
        return "0"
    if not sign.isalpha():
        return sign
    if not sign.isascii():
        return "é"
    return "X" if sign.isupper() else "x"


def moved_in_time(document: Any, by_s: int) -> Any:  # noqa: ANN401 (any JSON value)
    """The document with every timestamp later by so many seconds."""
    match document:
        case dict():
            return {
                key: _later(value, by_s) if key in _TIMES else moved_in_time(value, by_s)
                for key, value in document.items()
            }
        case list():
            return [moved_in_time(each, by_s) for each in document]
    return document


def _later(value: Any, by_s: int) -> Any:  # noqa: ANN401 (any JSON value)
    if isinstance(value, str) and value.isdecimal():
        return str(_later(int(value), by_s))
    if isinstance(value, int) and not isinstance(value, bool):
        return value + by_s * (1000 if value in _MILLISECONDS else 1)
    return value
