"""One condition of the form: its fields as texts ↔ a condition as data."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot import runtime
from bot.models.words import PropertyType
from bot.people import attributes
from bot.people.rules.operators import SUBJECTS, Shape, Which, operators_of, value_type
from bot.people.rules.schema import Condition

NAMES = ("value", "to", "latitude", "longitude", "km")
"""Of a condition's value; which of them there are depends on the shape."""

Types = Callable[[str], PropertyType | None]
"""Name of an attribute → its type in the environment shown."""

_PREFIX = "attribute:"

INPUTS: Mapping[PropertyType, str] = {
    PropertyType.NUMBER: "number",
    PropertyType.DATE: "date",
    PropertyType.DATETIME: "datetime-local",
    PropertyType.TIME: "time",
}
"""How a browser asks for a value of the type; text for the others."""


def subject(what: str, types: Types) -> tuple[str, str | None, PropertyType | None]:
    """`attribute:plan` → attribute, plan, TEXT."""
    if what.startswith(_PREFIX):
        name = what.removeprefix(_PREFIX)
        return "attribute", name, types(name)
    return what, None, None


def condition(what: str, of: str, operator: str, given: Mapping[str, str], types: Types) -> dict[str, Any]:
    """As far as it can be read; the checker says what is wrong with the rest."""
    name, attribute, kind = subject(what, types)
    told: dict[str, Any] = {"what": name or None, "operator": operator or None}
    if attribute is not None:
        told["of"] = attribute
    elif name in SUBJECTS and SUBJECTS[name].of is not None and of:
        told["of"] = int(of) if of.isdecimal() and len(of) < 19 else of
    found = operators_of(name, kind).get(operator)
    if found is not None:
        told["value"] = _READ[found.shape](value_type(name, kind), given)
    return {field: value for field, value in told.items() if value is not None}


def drafted(asked: Condition) -> tuple[str, str, str, dict[str, str]]:
    """what, of, operator and the fields of the value."""
    what = f"{_PREFIX}{asked.of}" if asked.what == "attribute" else asked.what
    of = "" if asked.what == "attribute" or asked.of is None else str(asked.of)
    shape = operators_of(asked.what, asked.type)[asked.operator].shape
    return what, of, asked.operator, _written(shape, value_type(asked.what, asked.type), asked.value)


def needs_of(what: str) -> Which | None:
    """Which list of things stands beside the subject, if any; attributes are subjects themselves."""
    found = SUBJECTS.get(what)
    return None if found is None or found.of is Which.ATTRIBUTE else found.of


def zone() -> ZoneInfo:
    return ZoneInfo(runtime.current().settings.time_zone)


def _one(kind: PropertyType, text: str) -> Any:  # noqa: ANN401 (as JSON has it)
    text = text.strip()
    if not text:
        return None
    if kind is PropertyType.DATETIME:
        return _utc(text)
    if kind is PropertyType.ARRAY:
        return _scalar(text)
    try:
        return attributes.read(kind, text)
    except ValueError:
        return text


def _utc(text: str) -> str:
    """A field for a local time means the workspace's zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at.replace(tzinfo=at.tzinfo or zone()).astimezone(UTC).isoformat()


def _scalar(text: str) -> Any:  # noqa: ANN401 (as JSON has it)
    """A list may hold numbers, true and false beside texts: what looks like one is one, unless it is in quotes."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    for kind in (PropertyType.NUMBER, PropertyType.BOOLEAN):
        if kind is PropertyType.NUMBER or text in {"true", "false"}:
            try:
                return attributes.read(kind, text)
            except ValueError:
                continue
    return text


def _whole(text: str) -> Any:  # noqa: ANN401 (as JSON has it)
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) < 9 else text or None


def _float(text: str) -> Any:  # noqa: ANN401 (as JSON has it)
    try:
        return float(text)
    except ValueError:
        return text.strip() or None


def _many(kind: PropertyType, given: Mapping[str, str]) -> list[Any]:
    return [_one(kind, line) for line in given.get("value", "").splitlines() if line.strip()]


_READ: Mapping[Shape, Callable[[PropertyType, Mapping[str, str]], Any]] = {
    Shape.NONE: lambda _kind, _given: None,
    Shape.ONE: lambda kind, given: _one(kind, given.get("value", "")),
    Shape.TWO: lambda kind, given: [_one(kind, given.get(name, "")) for name in ("value", "to")],
    Shape.MANY: _many,
    Shape.DAYS: lambda _kind, given: _whole(given.get("value", "")),
    Shape.PLACE: lambda _kind, given: {name: _float(given.get(name, "")) for name in ("latitude", "longitude", "km")},
    Shape.KEY: lambda _kind, given: given.get("value", "").strip() or None,
    Shape.CHANNEL: lambda _kind, given: given.get("value") or None,
    Shape.FAILURE: lambda _kind, given: given.get("value") or None,
}


def _written(shape: Shape, kind: PropertyType, value: Any) -> dict[str, str]:  # noqa: ANN401 (as JSON has it)
    if value is None:
        return {}
    if shape is Shape.PLACE:
        return {name: f"{each:g}" if name == "km" else repr(each) for name, each in value.items()}
    if shape is Shape.TWO:
        return {"value": _text(kind, value[0]), "to": _text(kind, value[1])}
    if shape is Shape.MANY:
        return {"value": "\n".join(_text(kind, each) for each in value)}
    return {"value": _text(kind, value) if shape is Shape.ONE else str(value)}


def _text(kind: PropertyType, value: Any) -> str:  # noqa: ANN401 (as JSON has it)
    if kind is PropertyType.DATETIME:
        return f"{datetime.fromisoformat(value).astimezone(zone()):%Y-%m-%dT%H:%M:%S}"
    if kind is PropertyType.ARRAY:
        if isinstance(value, bool):
            return str(value).lower()
        return f'"{value}"' if isinstance(value, str) and _scalar(value) != value else str(value)
    return attributes.write(kind, value)
