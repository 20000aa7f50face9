"""A goal while somebody builds it: what the fields hold ↔ the goal as data. What is unfinished stays as it is."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from bot.dashboard import times
from bot.goals.goals import MOST_ON_THE_WAY
from bot.language import _
from bot.models.goals import BehaviourKind
from bot.models.words import PropertyType
from bot.people import attributes
from bot.people.rules.operators import Shape, operators_of

START, COMPLETION = "start", "completion"
NAMES: Final = ("name", "kind", "of", "operator", "value", "to", "step", "words", "event", "link")
_WAY = "way-"
_PLACE = re.compile(r"^(start|completion|way\[(\d+)\])")
_MOVING = frozenset({"in_last_days", "in_next_days"})

Types = Mapping[str, PropertyType]


@dataclass
class Row:
    """A behaviour's fields; `path` is start, way-0, way-1, … or completion."""

    path: str
    given: dict[str, str] = field(default_factory=dict)


def blank() -> list[Row]:
    return [Row(START), Row(COMPLETION)]


def read(form: MultiDict[str, str]) -> list[Row]:
    """The rows in their order, whatever their paths were."""
    way = [path for path in form.getlist("row") if path.startswith(_WAY)][:MOST_ON_THE_WAY]
    return _placed([_row(form, path) for path in (START, *way, COMPLETION)])


def change(rows: list[Row], action: str) -> list[Row]:
    """What a button of the form does: `add`, or `remove:way-1`; anything else does nothing."""
    verb, _, path = action.partition(":")
    if verb == "add" and len(rows) < MOST_ON_THE_WAY + 2:
        rows = [*rows[:-1], Row(_WAY), rows[-1]]
    elif verb == "remove" and path.startswith(_WAY):
        rows = [row for row in rows if row.path != path]
    return _placed(rows)


def as_data(rows: Sequence[Row], types: Types) -> dict[str, Any]:
    """start, way and completion as `bot.goals.goals` takes them."""
    told = [_behaviour(row.given, types) for row in rows]
    return {"start": told[0], "way": told[1:-1], "completion": told[-1]}


def of_data(data: Mapping[str, Any], types: Types) -> list[Row]:
    parts = [data["start"], *data["way"], data["completion"]]
    return _placed([Row(_WAY, _written(part or {}, types)) for part in parts])


def operators(kind: PropertyType | None) -> dict[str, str]:
    """Those of an attribute that somebody can come to fulfil by what they do."""
    fitting = operators_of("attribute", kind) if kind else {}
    return {name: operator.label for name, operator in fitting.items() if name not in _MOVING}


def shape(given: Mapping[str, str], types: Types) -> Shape:
    fitting = operators_of("attribute", types.get(given.get("of", "")))
    found = fitting.get(given.get("operator", "")) or next(iter(fitting.values()), None)
    return found.shape if found else Shape.NONE


def placed(problems: Mapping[str, str]) -> dict[str, str]:
    """Path of a row, or `name` and what else is above them → what is wrong there.

    Of a row its kind before all: until it is chosen its other fields are not to be seen.
    """
    told: dict[str, str] = {}
    for path, text in sorted(problems.items(), key=lambda each: not each[0].endswith(".kind")):
        found = _PLACE.match(path)
        place = path if found is None else f"{_WAY}{found[2]}" if found[2] else found[1]
        told.setdefault(place, _of_row(path, text) if found else text)
    return told


def _of_row(path: str, text: str) -> str:
    """Programs are told the words for kinds; here they are chosen by what stands on the page."""
    if path.endswith(".kind"):
        return _("Choose by what it is recognised.")
    return _("What to call it: %(problem)s", problem=text) if path.endswith(".name") else text


def _placed(rows: Sequence[Row]) -> list[Row]:
    last = len(rows) - 1
    paths = [START, *(f"{_WAY}{place}" for place in range(last - 1)), COMPLETION]
    return [Row(path, row.given) for path, row in zip(paths, rows, strict=True)]


def _row(form: MultiDict[str, str], path: str) -> Row:
    return Row(path, {name: form.get(f"{name}.{path}", "") for name in NAMES})


def _behaviour(given: Mapping[str, str], types: Types) -> dict[str, Any]:
    kind = given.get("kind", "")
    read_one = _READ.get(kind)
    condition = read_one(given, types) if read_one else {}
    return {"name": given.get("name", ""), "kind": kind, "condition": condition}


def _attribute(given: Mapping[str, str], types: Types) -> dict[str, Any]:
    of = given.get("of", "")
    fitting = operators(types.get(of))
    operator = given.get("operator") if given.get("operator") in fitting else next(iter(fitting), "")
    value = _VALUES[shape(given, types)](types.get(of, PropertyType.TEXT), given)
    return {"of": of, "operator": operator} | ({} if value is None else {"value": value})


def _step(given: Mapping[str, str], _types: Types) -> dict[str, Any]:
    step, _, journey = given.get("step", "").partition(":")
    return {"journey": journey, "step": int(step) if step.isdecimal() and len(step) < 5 else 0}


def _keyword(given: Mapping[str, str], _types: Types) -> dict[str, Any]:
    return {"words": [line for line in given.get("words", "").splitlines() if line.strip()]}


def _event(given: Mapping[str, str], _types: Types) -> dict[str, Any]:
    return {"event": given.get("event", "")}


def _link(given: Mapping[str, str], _types: Types) -> dict[str, Any]:
    return {"link": given.get("link", "")}


_READ: Final[Mapping[str, Callable[[Mapping[str, str], Types], dict[str, Any]]]] = {
    BehaviourKind.ATTRIBUTE: _attribute,
    BehaviourKind.STEP: _step,
    BehaviourKind.KEYWORD: _keyword,
    BehaviourKind.EVENT: _event,
    BehaviourKind.LINK: _link,
}


def _one(kind: PropertyType, text: str) -> Any:  # noqa: ANN401 (as JSON has it)
    """What cannot be read stays a text: the check says what is wrong with it."""
    text = text.strip()
    try:
        if kind is PropertyType.DATETIME:
            at = datetime.fromisoformat(text)
            return f"{at.replace(tzinfo=at.tzinfo or times.zone()).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return text if kind is PropertyType.ARRAY or not text else attributes.read(kind, text)
    except ValueError:
        return text


def _near(_kind: PropertyType, given: Mapping[str, str]) -> Any:  # noqa: ANN401 (as JSON has it)
    """Latitude, longitude and kilometres, in one field."""
    try:
        parts = [float(part) for part in given.get("value", "").split(",")]
        return dict(zip(("latitude", "longitude", "km"), parts, strict=True))
    except ValueError:
        return given.get("value", "")


def _lines(kind: PropertyType, given: Mapping[str, str]) -> list[Any]:
    return [_one(kind, line) for line in given.get("value", "").splitlines() if line.strip()]


_VALUES: Final[Mapping[Shape, Callable[[PropertyType, Mapping[str, str]], Any]]] = {
    Shape.NONE: lambda _kind, _given: None,
    Shape.ONE: lambda kind, given: _one(kind, given.get("value", "")),
    Shape.TWO: lambda kind, given: [_one(kind, given.get(name, "")) for name in ("value", "to")],
    Shape.MANY: _lines,
    Shape.PLACE: _near,
    Shape.KEY: lambda _kind, given: given.get("value", "").strip(),
}


def _written(part: Mapping[str, Any], types: Types) -> dict[str, str]:
    condition, kind = part.get("condition", {}), part.get("kind", "")
    told = {"name": part.get("name", ""), "kind": kind}
    match kind:
        case BehaviourKind.STEP:
            return told | {"step": f"{condition['step']}:{condition['journey']}"}
        case BehaviourKind.KEYWORD:
            return told | {"words": "\n".join(condition["words"])}
        case BehaviourKind.EVENT | BehaviourKind.LINK:
            return told | dict(condition)
    named = {"of": condition.get("of", ""), "operator": condition.get("operator", "")}
    return told | named | dict(_fields(condition.get("value"), types.get(named["of"], PropertyType.TEXT)))


def _fields(value: Any, kind: PropertyType) -> Iterator[tuple[str, str]]:  # noqa: ANN401 (as JSON has it)
    match value:
        case None:
            return
        case {"km": far, **place}:
            yield "value", f"{place['latitude']}, {place['longitude']}, {far}"
        case [first, last] if kind is not PropertyType.TEXT:
            yield from (("value", _text(kind, first)), ("to", _text(kind, last)))
        case list():
            yield "value", "\n".join(_text(kind, each) for each in value)
        case _:
            yield "value", _text(kind, value)


def _text(kind: PropertyType, value: Any) -> str:  # noqa: ANN401 (as JSON has it)
    if kind is PropertyType.DATETIME:
        return f"{datetime.fromisoformat(value).astimezone(times.zone()):%Y-%m-%dT%H:%M:%S}"
    return value if isinstance(value, str) else attributes.write(kind, value)
