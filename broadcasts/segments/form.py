"""A rule while somebody builds it: what the fields hold ↔ the rule as data. What is unfinished stays as it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from bot.language import later
from bot.people.rules.schema import DEEPEST, VERSION, Condition, Group, Match, Negation, Node
from broadcasts.segments import fields

MOST_NODES = 150
ROOT = "r"
MATCHES: Mapping[str, str] = {
    "all": later("all"),
    "any": later("at least one"),
    "none": later("none"),
    "not_all": later("not all"),
}
"""How a group is matched in the form; the last two are a negation of `any` and `all`."""
_NEGATED = {"none": "any", "not_all": "all"}


@dataclass
class DraftCondition:
    """`what` is a subject, or `attribute:NAME`; `given` is what the fields of its value hold."""

    what: str = ""
    of: str = ""
    operator: str = ""
    given: dict[str, str] = field(default_factory=dict)


@dataclass
class DraftGroup:
    match: str = "all"
    nodes: list["Draft"] = field(default_factory=list)


Draft = DraftCondition | DraftGroup


def blank() -> DraftGroup:
    return DraftGroup("all", [DraftCondition()])


def read(form: MultiDict[str, str]) -> DraftGroup:
    """The tree that the fields describe: `node` names each place in order, `r-0-1` being within `r-0`."""
    root = DraftGroup(_match(form.get(f"match.{ROOT}", "")))
    groups: dict[str, DraftGroup] = {ROOT: root}
    for path in form.getlist("node")[:MOST_NODES]:
        parent = groups.get(path.rpartition("-")[0])
        if parent is None or path in groups:
            continue
        if f"match.{path}" in form:
            groups[path] = group = DraftGroup(_match(form[f"match.{path}"]))
            parent.nodes.append(group)
        else:
            given = {name: form.get(f"{name}.{path}", "") for name in fields.NAMES}
            what, of, operator = (form.get(f"{name}.{path}", "") for name in ("what", "of", "operator"))
            parent.nodes.append(DraftCondition(what, of, operator, given))
    return root


def change(root: DraftGroup, action: str) -> None:
    """What a button of the form does: `add:r-0`, `group:r`, `remove:r-0-1`; anything else does nothing."""
    verb, _, path = action.partition(":")
    found = dict(walk(root))
    here = found.get(path)
    if verb == "remove" and path != ROOT and here is not None:
        parent = found[path.rpartition("-")[0]]
        if isinstance(parent, DraftGroup):
            parent.nodes = [each for each in parent.nodes if each is not here]
    elif isinstance(here, DraftGroup) and len(found) < MOST_NODES:
        if verb == "add":
            here.nodes.append(DraftCondition())
        elif verb == "group" and depth(path) < DEEPEST:
            here.nodes.append(DraftGroup("any", [DraftCondition()]))


def walk(node: Draft, path: str = ROOT) -> Iterator[tuple[str, Draft]]:
    yield path, node
    if isinstance(node, DraftGroup):
        for place, each in enumerate(node.nodes):
            yield from walk(each, f"{path}-{place}")


def depth(path: str) -> int:
    """Of the outermost 1."""
    return path.count("-") + 1


def as_rule(root: DraftGroup, types: fields.Types) -> tuple[dict[str, Any], dict[str, str]]:
    """The rule as the checker takes it, and place in it → place in the form, for what the checker says."""
    places: dict[str, str] = {}
    return {"version": VERSION, **_data(root, ROOT, "rule", types, places)}, places


def of_rule(rule: Node) -> DraftGroup:
    """The form of a rule that was written elsewhere too."""
    drafted = _draft(rule)
    return drafted if isinstance(drafted, DraftGroup) else DraftGroup("all", [drafted])


def is_finished(root: DraftGroup) -> bool:
    """Whether every condition has all its fields filled in, and every group a condition."""
    for _, node in walk(root):
        if isinstance(node, DraftGroup) and not node.nodes:
            return False
        if isinstance(node, DraftCondition) and not (node.what and node.operator):
            return False
    return True


def _match(word: str) -> str:
    return word if word in MATCHES else "all"


def _data(node: Draft, path: str, place: str, types: fields.Types, places: dict[str, str]) -> dict[str, Any]:
    places[place] = path
    if isinstance(node, DraftCondition):
        return fields.condition(node.what, node.of, node.operator, node.given, types)
    match = _NEGATED.get(node.match, node.match)
    inner = f"{place}.not.{match}" if node.match in _NEGATED else f"{place}.{match}"
    places[inner] = path
    made = {
        match: [
            _data(each, f"{path}-{number}", f"{inner}[{number}]", types, places)
            for number, each in enumerate(node.nodes)
        ]
    }
    return {"not": made} if node.match in _NEGATED else made


def _draft(node: Node) -> Draft:
    match node:
        case Condition():
            return DraftCondition(*fields.drafted(node))
        case Group():
            return DraftGroup(node.match.value, [_draft(each) for each in node.nodes])
        case Negation(node=Group() as group):
            word = "none" if group.match is Match.ANY else "not_all"
            return DraftGroup(word, [_draft(each) for each in group.nodes])
        case Negation():
            return DraftGroup("none", [_draft(node.node)])
