"""A rule in plain words, for whoever reads a segment's page: an outline of lines, each as deep as its group."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.people.rules.directory import Directory
from bot.people.rules.failures import LABELS, OTHER
from bot.people.rules.operators import SUBJECTS, Shape, Which, operators_of
from bot.people.rules.schema import Condition, Group, Match, Negation, Node

_INTRODUCED = {Match.ALL: "all of these", Match.ANY: "at least one of these"}
_SHOWN_VALUES = 8


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    depth: int
    is_group: bool


def outline(directory: Directory, rule: Node) -> list[Line]:
    """Such as `all of these`, and below it, one deeper, `Country is “EG”`."""
    return list(_lines(directory, rule, 0, ""))


def _lines(directory: Directory, node: Node, depth: int, prefix: str) -> Iterator[Line]:
    match node:
        case Group():
            yield Line(f"{prefix}{_INTRODUCED[node.match]}", depth, is_group=True)
            for each in node.nodes:
                yield from _lines(directory, each, depth + 1, "")
        case Negation():
            yield from _lines(directory, node.node, depth, f"{prefix}not ")
        case Condition():
            yield Line(f"{prefix}{sentence(directory, node)}", depth, is_group=False)


def sentence(directory: Directory, asked: Condition) -> str:
    operator = operators_of(asked.what, asked.type)[asked.operator]
    return " ".join(part for part in (_named(directory, asked), operator.label, _value(operator.shape, asked)) if part)


def _named(directory: Directory, asked: Condition) -> str:
    subject = SUBJECTS[asked.what]
    if subject.of is None:
        return subject.label
    if subject.of is Which.ATTRIBUTE:
        return str(asked.of)
    if asked.of is None:
        return {Which.NUMBER: "Conversation on any number", Which.TOPIC: "Anything"}[subject.of]
    name = directory.name_of(subject.of, int(asked.of)) or "which is no more"
    return f"{subject.label} {'on ' if subject.of is Which.NUMBER else ''}“{name}”"


def _value(shape: Shape, asked: Condition) -> str:
    found = _VALUES.get(shape)
    if found is not None:
        return found(asked.value)
    return "" if asked.value is None else _said(asked.value)


def _many(value: list[Any]) -> str:
    more = f" and {len(value) - _SHOWN_VALUES:,} more" if len(value) > _SHOWN_VALUES else ""
    return ", ".join(map(_said, value[:_SHOWN_VALUES])) + more


def _failure(value: str | None) -> str:
    if value is None:
        return "for any reason"
    return LABELS[value] if value == OTHER else f"because {LABELS[value]}"


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"“{value}”" if isinstance(value, str) else f"{value}"


_VALUES: Mapping[Shape, Callable[[Any], str]] = {
    Shape.TWO: lambda value: f"{_said(value[0])} and {_said(value[1])}",
    Shape.MANY: _many,
    Shape.DAYS: lambda value: f"{value:,} {'day' if value == 1 else 'days'}",
    Shape.PLACE: lambda value: f"{value['latitude']}, {value['longitude']}: within {value['km']:,} km",
    Shape.CHANNEL: lambda value: "WhatsApp" if value in {None, "whatsapp"} else value.replace("_", " "),
    Shape.FAILURE: _failure,
}
