"""Lists, objects and places: attributes that are JSON, with bounds on what may be inside."""

import re
from typing import Any, TypeVar

import orjson

from bot.models.words import PropertyType
from bot.people.formats import LONGEST, AttributeValueError, exact_number, short_text, wrong

DEEPEST = 8

_Json = TypeVar("_Json", list[Any], dict[str, Any])

_PLACE = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*[,;]\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)", re.ASCII)
_COORDINATES = {"latitude": 90, "longitude": 180}
_PLACE_WORDS = ("name", "address")


def read_array(text: str) -> list[Any]:
    return as_array(_parsed(PropertyType.ARRAY, text))


def read_object(text: str) -> dict[str, Any]:
    return as_object(_parsed(PropertyType.OBJECT, text))


def read_location(text: str) -> dict[str, Any]:
    if match := _PLACE.fullmatch(text):
        return as_location({"latitude": float(match[1]), "longitude": float(match[2])})
    return as_location(_parsed(PropertyType.LOCATION, text))


def write_location(value: dict[str, Any]) -> str:
    """The short form where it says everything."""
    if len(value) == len(_COORDINATES):
        return f"{value['latitude']}, {value['longitude']}"
    return orjson.dumps(value).decode()


def as_array(value: object) -> list[Any]:
    if not isinstance(value, list) or any(isinstance(each, list | dict) or each is None for each in value):
        raise wrong(PropertyType.ARRAY, _shown(value))
    return _bounded(PropertyType.ARRAY, [_inside(PropertyType.ARRAY, each) for each in value])


def as_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(PropertyType.OBJECT, _shown(value))
    found: dict[str, Any] = _inside(PropertyType.OBJECT, value)
    return _bounded(PropertyType.OBJECT, found)


def as_location(value: object) -> dict[str, Any]:
    """Degrees as decimals; a blank name or address is left out."""
    if not isinstance(value, dict) or not _COORDINATES.keys() <= value.keys() <= {*_COORDINATES, *_PLACE_WORDS}:
        raise wrong(PropertyType.LOCATION, _shown(value))
    place: dict[str, Any] = {}
    for name, most in _COORDINATES.items():
        degrees = value[name]
        if isinstance(degrees, bool) or not isinstance(degrees, int | float):
            raise wrong(PropertyType.LOCATION, _shown(value))
        if not -most <= degrees <= most:
            raise AttributeValueError(f"{name} {str(degrees)[:30]} does not lie between -{most} and {most}.")
        place[name] = float(degrees)
    for name in _PLACE_WORDS:
        if not isinstance(value.get(name, ""), str):
            raise wrong(PropertyType.LOCATION, _shown(value))
        if value.get(name):
            place[name] = short_text(value[name])
    return _bounded(PropertyType.LOCATION, place)


def _inside(kind: PropertyType, value: object, depth: int = 0) -> Any:  # noqa: ANN401 (JSON of any kind)
    match value:
        case None | bool():
            return value
        case int() | float():
            return exact_number(value)
        case str():
            return short_text(value)
        case list() if depth <= DEEPEST:
            return [_inside(kind, each, depth + 1) for each in value]
        case dict() if depth <= DEEPEST and all(isinstance(name, str) for name in value):
            return {short_text(name): _inside(kind, each, depth + 1) for name, each in value.items()}
    raise AttributeValueError(f"is nested more than {DEEPEST} deep, or holds what JSON does not know: make it flatter.")


def _bounded(kind: PropertyType, value: _Json) -> _Json:
    if len(orjson.dumps(value).decode()) > LONGEST:
        raise AttributeValueError(f"is longer than {LONGEST:,} characters when written as {kind}: shorten it.")
    return value


def _parsed(kind: PropertyType, text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise wrong(kind, text) from None


def _shown(value: object) -> str:
    """Whatever program code gave us, shortened."""
    return str(value)[:61]
