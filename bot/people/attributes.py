"""The nine types of a custom attribute: from a cell, a form field or JSON to the one form in which each is stored."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import orjson

from bot.models.words import PropertyType
from bot.people import structures
from bot.people.formats import FORMATS as FORMATS
from bot.people.formats import AttributeValueError as AttributeValueError
from bot.people.formats import Format as Format
from bot.people.formats import exact_number, short_text, wrong

Value = str | int | float | bool | list[Any] | dict[str, Any]

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d?\d:\d\d(?::\d\d)?", re.ASCII)
_DATETIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)? ?([Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII)
_NORMAL = len("2026-01-31T12:00:00Z")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read(kind: PropertyType, text: str) -> Value:
    """A cell or form field that is not blank → the value as it is stored; raises AttributeValueError."""
    return READERS[kind](text)


def write(kind: PropertyType, value: Value) -> str:
    """The text that `read` takes back to the same value."""
    if kind == PropertyType.LOCATION and isinstance(value, dict):
        return structures.write_location(value)
    if isinstance(value, bool | list | dict):
        return orjson.dumps(value).decode()
    return str(value)


def accept(kind: PropertyType, value: object) -> Value:
    """A value from JSON → the same normal form; text is no number and no list. Raises AttributeValueError."""
    match kind, value:
        case ((PropertyType.TEXT | PropertyType.DATE | PropertyType.TIME | PropertyType.DATETIME), str()):
            return READERS[kind](value)
        case PropertyType.BOOLEAN, bool():
            return value
        case PropertyType.NUMBER, int() | float() if not isinstance(value, bool):
            return exact_number(value)
        case PropertyType.ARRAY, list():
            return structures.as_array(value)
        case PropertyType.OBJECT, dict():
            return structures.as_object(value)
        case PropertyType.LOCATION, dict():
            return structures.as_location(value)
    raise wrong(kind, str(value)[:61])


def _read_number(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise wrong(PropertyType.NUMBER, text)
    return exact_number(float(text))


def _read_date(text: str) -> str:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:  # the 31st of April
        pass
    raise wrong(PropertyType.DATE, text)


def _read_time(text: str) -> str:
    try:
        if _TIME.fullmatch(text):
            return time.fromisoformat(text if text[2] == ":" else f"0{text}").isoformat()
    except ValueError:  # 25:00
        pass
    raise wrong(PropertyType.TIME, text)


def _read_datetime(text: str) -> str:
    try:
        if match := _DATETIME.fullmatch(text):
            day, clock, zone = match.groups()
            if zone == "Z" and len(text) == _NORMAL and text[10] == "T":
                datetime.fromisoformat(text)
                return text
            told = datetime.fromisoformat(f"{day}T{clock or '00:00'}{(zone or 'Z').upper()}")
            return f"{told.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    except (ValueError, OverflowError):  # the first morning of the year 1, east of Greenwich
        pass
    raise wrong(PropertyType.DATETIME, text)


def _read_boolean(text: str) -> bool:
    found = _BOOLEANS.get(text.lower())
    if found is None:
        raise wrong(PropertyType.BOOLEAN, text)
    return found


READERS: Mapping[PropertyType, Callable[[str], Value]] = {
    PropertyType.TEXT: short_text,
    PropertyType.NUMBER: _read_number,
    PropertyType.DATE: _read_date,
    PropertyType.TIME: _read_time,
    PropertyType.DATETIME: _read_datetime,
    PropertyType.BOOLEAN: _read_boolean,
    PropertyType.ARRAY: structures.read_array,
    PropertyType.OBJECT: structures.read_object,
    PropertyType.LOCATION: structures.read_location,
}
