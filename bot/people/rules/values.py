"""Whether a condition's value fits its operator; what is kept is its one normal form."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from bot.models.words import Channel, PropertyType
from bot.people import attributes
from bot.people.rules.failures import LABELS
from bot.people.rules.operators import Shape

MOST_VALUES = 200
MOST_DAYS = 36_500
FARTHEST_KM = 20_040
"""Half around the world."""
_PLACE = frozenset({"latitude", "longitude", "km"})


def check(shape: Shape, kind: PropertyType, value: object) -> Any:  # noqa: ANN401 (as JSON has it)
    """The value to keep, None where the operator takes none; ValueError with a sentence."""
    return _CHECKS[shape](kind, value)


def _nothing(_kind: PropertyType, value: object) -> None:
    if value is not None:
        raise ValueError("This operator takes no value: leave it out.")


def _one(kind: PropertyType, value: object) -> object:
    if value is None or value == "":
        raise ValueError("Say with what to compare.")
    if kind is PropertyType.ARRAY:
        return attributes.accept(kind, [value])[0]  # type: ignore[index]  # a list gives a list
    return attributes.accept(kind, value)


def _two(kind: PropertyType, value: object) -> list[object]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("Give two values: [from, to].")
    first, last = (_one(kind, each) for each in value)
    if first > last:  # type: ignore[operator]  # both are of the same ordered type
        raise ValueError(f"From {first} to {last} there is nothing: give the smaller one first.")
    return [first, last]


def _many(kind: PropertyType, value: object) -> list[object]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
        raise ValueError(f"Give a list of 1 to {MOST_VALUES} values.")
    return list(dict.fromkeys(_one(kind, each) for each in value))


def _days(_kind: PropertyType, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MOST_DAYS:
        raise ValueError(f"Give a whole number of days from 1 to {MOST_DAYS:,}.")
    return value


def _place(_kind: PropertyType, value: object) -> Mapping[str, float]:
    if not isinstance(value, dict) or value.keys() != _PLACE:
        raise ValueError('Say where and how far: {"latitude": 30.04, "longitude": 31.24, "km": 10}.')
    kept = attributes.accept(PropertyType.LOCATION, {name: value[name] for name in _PLACE - {"km"}})
    far = value["km"]
    if (
        not isinstance(far, int | float)
        or isinstance(far, bool)
        or not math.isfinite(far)
        or not 0 < far <= FARTHEST_KM
    ):
        raise ValueError(f"Give a distance above 0 and up to {FARTHEST_KM:,} km.")
    return {**kept, "km": far}  # type: ignore[dict-item]  # a place is an object


def _key(_kind: PropertyType, value: object) -> object:
    return _one(PropertyType.TEXT, value)


def _channel(_kind: PropertyType, value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or value not in set(Channel)):
        raise ValueError(f"Name a channel: {', '.join(Channel)}; without one it is whatsapp.")
    return None if value is None else str(value)


def _failure(_kind: PropertyType, value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or value not in LABELS):
        raise ValueError(f"Name a class of reasons: {', '.join(LABELS)}; without one any counts.")
    return None if value is None else str(value)


_CHECKS: Mapping[Shape, Callable[[PropertyType, object], Any]] = {
    Shape.NONE: _nothing,
    Shape.ONE: _one,
    Shape.TWO: _two,
    Shape.MANY: _many,
    Shape.DAYS: _days,
    Shape.PLACE: _place,
    Shape.KEY: _key,
    Shape.CHANNEL: _channel,
    Shape.FAILURE: _failure,
}
