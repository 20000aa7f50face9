"""What a cell of another type most likely means: only where one reading is left."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

import orjson

from bot.models.words import PropertyType
from bot.people import attributes
from bot.people.attributes import AttributeValueError

_YES = ("y", "t", "on", "✓", "✔", "ja", "oui", "si", "sí", "sim", "да", "نعم", "wahr", "vrai", "verdadero")
_NO = ("n", "f", "off", "nein", "non", "não", "нет", "لا", "falsch", "faux", "falso")
_BOOLEANS = {**dict.fromkeys(_YES, "true"), **dict.fromkeys(_NO, "false")}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BY_NUMBERS = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})")
_BY_NAME = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[ .-]+([a-z]{3})[a-z]*[ .,-]+(\d{4})|([a-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4})"
)
_SERIAL = re.compile(r"[2-6]\d{4}")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d\d))?(?:[:.](\d\d))? ?([ap])\.?m\.?|(\d{1,2})[.h](\d\d)")
_AMOUNT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+\.\d+|\d+\.\d+)")
_AMOUNT_WITH_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+,\d+|\d+,(?:\d\d?|\d{4,}))")
_SPREADSHEET_EPOCH = date(1899, 12, 30)


def propose(kind: PropertyType, text: str) -> str | None:
    """A cell that `attributes.read` takes, or None."""
    likely = _LIKELY.get(kind)
    proposal = likely(" ".join(text.lower().split()) if kind not in _JSON else text) if likely else None
    try:
        return attributes.write(kind, attributes.read(kind, proposal)) if proposal else None
    except AttributeValueError:
        return None


def _boolean(text: str) -> str | None:
    return _BOOLEANS.get(text)


def _number(text: str) -> str | None:
    bare = re.sub(r"[\s'\u2019_$€£]|(?:usd|eur|gbp|egp|inr|sar|aed)\b", "", text)
    if _AMOUNT.fullmatch(bare):
        return bare.replace(",", "")
    if _AMOUNT_WITH_COMMA.fullmatch(bare):
        return bare.replace(".", "").replace(",", ".")
    return bare


def _date(text: str) -> str | None:
    text = re.sub(r"(?:t| )00:00(?::00)?(?:\.0+)?z?$", "", text)
    if _SERIAL.fullmatch(text):
        return (_SPREADSHEET_EPOCH + timedelta(int(text))).isoformat()
    if match := _BY_NAME.fullmatch(text):
        day, month, year = (match[1], match[2], match[3]) if match[1] else (match[5], match[4], match[6])
        return _iso(year, str(_MONTHS.index(month) + 1), day) if month in _MONTHS else None
    if match := _BY_NUMBERS.fullmatch(text):
        return _by_numbers(match[1], match[2], match[3], match[4])
    return None


def _by_numbers(first: str, sign: str, second: str, third: str) -> str | None:
    """Year first is clear, dots are day first, and of slashes only what cannot be read in two ways."""
    if len(first) == 4:
        return _iso(first, second, third)
    if len(third) != 4:
        return None
    if sign == "." or int(first) > 12 or first.zfill(2) == second.zfill(2):
        return _iso(third, second, first)
    return _iso(third, first, second) if int(second) > 12 else None


def _iso(year: str, month: str, day: str) -> str:
    return f"{year}-{month.zfill(2)}-{day.zfill(2)}"


def _time(text: str) -> str | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    if match[5]:
        return f"{match[5]}:{match[6]}"
    hour, is_afternoon = int(match[1]), match[4] == "p"
    if not 1 <= hour <= 12:
        return None
    return f"{hour % 12 + 12 * is_afternoon}:{match[2] or '00'}:{match[3] or '00'}"


def _datetime(text: str) -> str | None:
    day, _, clock = text.replace(", ", " ").partition(" ")
    found = day if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else _date(day)
    told = clock if re.fullmatch(r"\d\d:\d\d(?::\d\d)?", clock) else _time(clock)
    if found and clock and told:
        return f"{found}T{told if told[1] != ':' else f'0{told}'}Z"
    return found if found and not clock else None


def _array(text: str) -> str | None:
    """A list without its brackets and quotes."""
    if re.search(r"[\[\]{}]", text):
        return None
    sign = next((each for each in (";", "|", ",", "\n") if each in text), ",")
    return orjson.dumps([each.strip().strip("\"'") for each in text.split(sign) if each.strip()]).decode()


def _json(text: str) -> str | None:
    """Quotes that a word processor or Python wrote."""
    straight = re.sub("[\u201c\u201d\u201e]", '"', text)
    return straight if straight != text else re.sub("[\u2018\u2019']", '"', text)


def _place(text: str) -> str | None:
    """Coordinates with other signs around them."""
    found = re.findall(r"[+-]?\d{1,3}\.\d+", text)
    bare = re.sub(r"[+-]?\d{1,3}\.\d+|[\s,;°()\[\]/]|lat(?:itude)?|lo?ng(?:itude)?|[:=]", "", text)
    return ", ".join(found) if len(found) == 2 and not bare else None


_JSON = frozenset({PropertyType.ARRAY, PropertyType.OBJECT})
_LIKELY: Mapping[PropertyType, Callable[[str], str | None]] = {
    PropertyType.BOOLEAN: _boolean,
    PropertyType.NUMBER: _number,
    PropertyType.DATE: _date,
    PropertyType.TIME: _time,
    PropertyType.DATETIME: _datetime,
    PropertyType.ARRAY: _array,
    PropertyType.OBJECT: _json,
    PropertyType.LOCATION: _place,
}
