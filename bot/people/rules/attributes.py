"""Conditions on a custom attribute. What is stored but not of the attribute's type matches and breaks nothing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Float, Numeric, String, and_, case, cast, collate, func, literal, or_
from sqlalchemy.dialects.postgresql import JSONB

from bot.models.person import Person
from bot.models.words import PropertyType
from bot.people.rules.schema import Condition

Match = Callable[[type[Person], str, PropertyType, Any], ColumnElement[bool]]

EARTH_KM = 6371.0088

_WRITTEN = {
    PropertyType.DATE: r"^\d{4}-\d{2}-\d{2}$",
    PropertyType.TIME: r"^\d{2}:\d{2}:\d{2}$",
    PropertyType.DATETIME: r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$",
}
"""As bot/people/attributes.py writes them: texts in the order of time."""

_EMPTY = {PropertyType.ARRAY: ("", "[]"), PropertyType.OBJECT: ("", "{}")}

_COMPARE: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "<": lambda held, asked: held < asked,
    "<=": lambda held, asked: held <= asked,
    ">": lambda held, asked: held > asked,
    ">=": lambda held, asked: held >= asked,
    "before": lambda held, asked: held < asked,
    "after": lambda held, asked: held > asked,
    "between": lambda held, asked: and_(held >= asked[0], held <= asked[1]),
}


def matching(person: type[Person], asked: Condition, now: datetime) -> ColumnElement[bool]:
    kind = asked.type or PropertyType.TEXT
    found = _MATCH.get(asked.operator)
    if found is not None:
        return found(person, str(asked.of), kind, asked.value)
    if asked.operator in {"in_last_days", "in_next_days"}:
        bounds: Any = days(kind, asked.operator, asked.value, now)
        return _COMPARE["between"](_ordered(person, str(asked.of), kind), bounds)
    return _COMPARE[asked.operator](_ordered(person, str(asked.of), kind), _as_bound(kind, asked.value))


def days(kind: PropertyType, operator: str, count: int, now: datetime) -> tuple[str, str]:
    """Texts of the first and last moment: of a date whole days with today, of a time 24 hours for each."""
    there = now + timedelta(days=count if operator == "in_next_days" else -count)
    if kind is PropertyType.DATE:
        first, last = sorted((now.date(), there.date()))
        return first.isoformat(), last.isoformat()
    first_at, last_at = sorted((now.astimezone(UTC), there.astimezone(UTC)))
    return f"{first_at:%Y-%m-%dT%H:%M:%SZ}", f"{last_at:%Y-%m-%dT%H:%M:%SZ}"


def _text(person: type[Person], name: str) -> ColumnElement[str]:
    found: ColumnElement[str] = person.attributes[name].astext
    return found


def _is_empty(person: type[Person], name: str, kind: PropertyType, _value: None = None) -> ColumnElement[bool]:
    return func.coalesce(_text(person, name), "").in_(_EMPTY.get(kind, ("",)))


def _holds(person: type[Person], name: str, _kind: PropertyType, value: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """By containment, which an index on all attributes at once would answer."""
    return person.attributes.contains({name: value})


def _is_one_of(person: type[Person], name: str, kind: PropertyType, value: Any) -> ColumnElement[bool]:  # noqa: ANN401
    return or_(*(_holds(person, name, kind, each) for each in value))


def _contains(person: type[Person], name: str, kind: PropertyType, value: Any) -> ColumnElement[bool]:  # noqa: ANN401
    if kind is PropertyType.ARRAY:
        return _holds(person, name, kind, [value])
    return _text(person, name).icontains(value, autoescape=True)


def _starts_with(person: type[Person], name: str, _kind: PropertyType, value: Any) -> ColumnElement[bool]:  # noqa: ANN401
    return _text(person, name).istartswith(value, autoescape=True)


def _has_key(person: type[Person], name: str, _kind: PropertyType, value: Any) -> ColumnElement[bool]:  # noqa: ANN401
    held = cast(person.attributes[name], JSONB)
    return and_(func.jsonb_typeof(held) == "object", held.has_key(value))


def _ordered(person: type[Person], name: str, kind: PropertyType) -> ColumnElement[Any]:
    """The value in an order of its own: numbers by size, everything else as texts in the order of their bytes."""
    text = _text(person, name)
    if kind is PropertyType.NUMBER:
        return _number(person.attributes[name], text, Numeric())
    return collate(case((text.regexp_match(_WRITTEN[kind]), text)), "C")


def _as_bound(kind: PropertyType, value: Any) -> Any:  # noqa: ANN401 (one value or two)
    if isinstance(value, list):
        return [_as_bound(kind, each) for each in value]
    return Decimal(str(value)) if kind is PropertyType.NUMBER else literal(value, String)


def _number(held: Any, text: ColumnElement[str], kind: Any) -> ColumnElement[Any]:  # noqa: ANN401 (SQLAlchemy's)
    """CASE, for the cast must not be tried where there is no number."""
    return case((func.jsonb_typeof(held) == "number", cast(text, kind)))


def _is_near(person: type[Person], name: str, _kind: PropertyType, place: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """By the haversine of the sphere: the distance along the ground, right to half a percent."""
    held = person.attributes[name]
    latitude, longitude = (
        func.radians(_number(held[part], held[part].astext, Float(53))) for part in ("latitude", "longitude")
    )
    there, along = func.radians(place["latitude"]), func.radians(place["longitude"])
    half = func.power(func.sin((latitude - there) / 2), 2) + func.cos(latitude) * func.cos(there) * func.power(
        func.sin((longitude - along) / 2), 2
    )
    near: ColumnElement[bool] = 2 * EARTH_KM * func.asin(func.least(1.0, func.sqrt(half))) <= place["km"]
    return near


def _not(match: Match) -> Match:
    """Also of those of whom nothing is known."""
    return lambda person, name, kind, value: match(person, name, kind, value).is_not(True)


_MATCH: Mapping[str, Match] = {
    "is": _holds,
    "=": _holds,
    "is_not": _not(_holds),
    "!=": _not(_holds),
    "is_one_of": _is_one_of,
    "contains": _contains,
    "does_not_contain": _not(_contains),
    "starts_with": _starts_with,
    "has_key": _has_key,
    "lacks_key": _not(_has_key),
    "within_km": _is_near,
    "is_empty": _is_empty,
    "is_not_empty": _not(_is_empty),
}
"""Operators that need no order; the others are in _COMPARE."""
