"""Conditions on what everybody may have: country, language, time zone, names, status, when they were created."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func

from bot.models.person import Person
from bot.people.rules.schema import Condition

SUBJECTS = frozenset(
    {"country", "language", "time_zone", "first_name", "last_name", "nickname", "distinct_id", "status", "created"}
)


def matching(person: type[Person], _environment: str, asked: Condition, now: datetime) -> ColumnElement[bool]:
    if asked.what == "status":
        return person.enabled.is_(asked.operator == "enabled")
    if asked.what == "created":
        return _created(person, asked, now)
    return _words(getattr(person, asked.what), asked.operator, asked.value)


def _words(column: Any, operator: str, value: Any) -> ColumnElement[bool]:  # noqa: ANN401 (a column of texts)
    found: ColumnElement[bool] = _MATCH[operator](column, value)
    return found


def _created(person: type[Person], asked: Condition, now: datetime) -> ColumnElement[bool]:
    if asked.operator == "in_last_days":
        return person.created_at >= now - timedelta(days=asked.value)
    if asked.operator == "between":
        first, last = map(_moment, asked.value)
        return person.created_at.between(first, last)
    asked_at = _moment(asked.value)
    return person.created_at < asked_at if asked.operator == "before" else person.created_at > asked_at


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)


def _is_empty(column: Any, _value: None = None) -> Any:  # noqa: ANN401
    return func.coalesce(column, "") == ""


_MATCH: Mapping[str, Callable[[Any, Any], Any]] = {
    "is": lambda column, value: column == value,
    "is_not": lambda column, value: column.is_distinct_from(value),
    "is_one_of": lambda column, value: column.in_(value),
    "contains": lambda column, value: column.icontains(value, autoescape=True),
    "does_not_contain": lambda column, value: column.icontains(value, autoescape=True).is_not(True),
    "starts_with": lambda column, value: column.istartswith(value, autoescape=True),
    "is_empty": _is_empty,
    "is_not_empty": lambda column, value: ~_is_empty(column, value),
}
