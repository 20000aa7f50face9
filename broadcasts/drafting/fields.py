"""Members of JSON as they came, each read as the type it has to be; a place that is wrong is named."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

LONGEST_NAME: Final = 512
LARGEST: Final = 2**63 - 1
YEARS: Final = range(2000, 3000)
"""Of a broadcast's times: of some others neither every zone nor the database knows a moment."""

Value = TypeVar("Value")


class FieldError(ValueError):
    """`field` is the place: `care.pace_per_s`, `wordings.0.template`; empty for the whole."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def members(given: object, known: Collection[str], within: str = "") -> Mapping[str, Any]:
    """Of an object that has no others; one that is null is as if it were not there."""
    if not isinstance(given, dict):
        raise FieldError(within, f"{within or 'The whole'} must be a JSON object.")
    for name in given:
        if name not in known:
            where = within or "here"
            listed = ", ".join(sorted(known))
            raise FieldError(path(within, name), f"There is no field {name[:64]!r} in {where}: use {listed}.")
    return {name: value for name, value in given.items() if value is not None}


def path(within: str, name: object) -> str:
    return f"{within}.{str(name)[:64]}" if within else str(name)[:64]


def text(value: object, field: str, longest: int = LONGEST_NAME) -> str:
    if not isinstance(value, str):
        raise FieldError(field, f"{field} must be a text.")
    if len(value) > longest:
        raise FieldError(field, f"{field} has {len(value):,} characters; {longest:,} are the most.")
    if "\0" in value:
        raise FieldError(field, f"{field} holds a NUL character.")
    return value


def filled(value: object, field: str) -> str:
    if not text(value, field).strip():
        raise FieldError(field, f"{field} is empty.")
    return str(value)


def whole(value: object, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST:
        raise FieldError(field, f"{field} must be a whole number.")
    return value


def flag(value: object, field: str) -> bool:
    if not isinstance(value, bool):
        raise FieldError(field, f"{field} must be true or false.")
    return value


def moment(value: object, field: str) -> datetime:
    """With or without a zone: which of the two is right depends on the place."""
    try:
        found = datetime.fromisoformat(text(value, field, 40))
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise FieldError(field, f"{field} must be a day and time, such as 2026-05-01T09:00:00+02:00.")
    return found


def reference(value: object, field: str) -> str | int:
    """A name, or an id."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST:
        return value
    if not isinstance(value, str):
        raise FieldError(field, f"{field} must be a name or an id.")
    return filled(value, field)


def several(value: object, field: str, read: Callable[[object, str], Value], most: int) -> list[Value]:
    if not isinstance(value, list) or len(value) > most:
        raise FieldError(field, f"{field} must be a list of {most} at most.")
    return [read(each, path(field, index)) for index, each in enumerate(value)]


def texts(value: object, field: str, longest: int) -> dict[str, str]:
    """An object whose values are all texts."""
    if not isinstance(value, dict):
        raise FieldError(field, f"{field} must be a JSON object of texts.")
    return {filled(name, field): text(words, path(field, name), longest) for name, words in value.items()}
