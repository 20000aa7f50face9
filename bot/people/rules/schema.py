"""A rule as data, `{"version": 1, "all": […]}`: conditions in groups of all, any or not; see docs/segments.md."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.models.words import PropertyType

VERSION = 1
DEEPEST = 5
"""Groups within groups, the outermost counted."""
MOST_CONDITIONS = 100
MOST_PROBLEMS = 20


class Match(StrEnum):
    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Condition:
    """`what` it asks (an attribute, the country, a broadcast…), `of` which one, `operator`, and with what value."""

    what: str
    operator: str
    of: str | int | None = None
    value: Any = None
    type: PropertyType | None = None
    """Of an attribute: what it was when the rule was written; a property never changes its type."""


@dataclass(frozen=True, slots=True)
class Group:
    match: Match
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    node: "Node"


Node = Condition | Group | Negation


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is where in the rule: `rule.all[1].value`."""

    path: str
    text: str


class RuleError(ValueError):
    """The rule cannot be used; one sentence for each place that is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(f"{each.path}: {each.text}" for each in problems))
        self.problems = tuple(problems)


def as_data(node: Node) -> dict[str, Any]:
    """The rule as it is stored, of its outermost group."""
    return {"version": VERSION, **_data(node)}


def conditions(node: Node) -> Iterator[Condition]:
    match node:
        case Condition():
            yield node
        case Negation():
            yield from conditions(node.node)
        case Group():
            for each in node.nodes:
                yield from conditions(each)


def load(data: Mapping[str, Any]) -> Node:
    """A rule that was checked when it was stored, as the compiler reads it."""
    match data:
        case {"all": nodes}:
            return Group(Match.ALL, tuple(map(load, nodes)))
        case {"any": nodes}:
            return Group(Match.ANY, tuple(map(load, nodes)))
        case {"not": node}:
            return Negation(load(node))
    kind = data.get("type")
    return Condition(
        data["what"], data["operator"], data.get("of"), data.get("value"), None if kind is None else PropertyType(kind)
    )


def _data(node: Node) -> dict[str, Any]:
    match node:
        case Group():
            return {node.match.value: [_data(each) for each in node.nodes]}
        case Negation():
            return {"not": _data(node.node)}
    told = {"what": node.what, "of": node.of, "type": node.type and node.type.value, "operator": node.operator}
    return {name: value for name, value in (told | {"value": node.value}).items() if value is not None}
