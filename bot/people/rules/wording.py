"""A rule in plain words, for whoever reads a segment's page: an outline of lines, each as deep as its group."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.language import _, figure, later, ngettext, translated
from bot.people.rules.directory import Directory
from bot.people.rules.failures import LABELS, OTHER
from bot.people.rules.operators import SUBJECTS, Shape, Which, operators_of
from bot.people.rules.schema import Condition, Group, Match, Negation, Node

_INTRODUCED = {Match.ALL: later("all of these"), Match.ANY: later("at least one of these")}
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
            yield Line(f"{prefix}{translated(_INTRODUCED[node.match])}", depth, is_group=True)
            for each in node.nodes:
                yield from _lines(directory, each, depth + 1, "")
        case Negation():
            negated = _("not")
            yield from _lines(directory, node.node, depth, f"{prefix}{negated} ")
        case Condition():
            yield Line(f"{prefix}{sentence(directory, node)}", depth, is_group=False)


def sentence(directory: Directory, asked: Condition) -> str:
    operator = operators_of(asked.what, asked.type)[asked.operator]
    return " ".join(
        part for part in (_named(directory, asked), translated(operator.label), _value(operator.shape, asked)) if part
    )


def _named(directory: Directory, asked: Condition) -> str:
    subject = SUBJECTS[asked.what]
    if subject.of is None:
        return translated(subject.label)
    if subject.of is Which.ATTRIBUTE:
        return str(asked.of)
    if asked.of is None:
        return {Which.NUMBER: _("Conversation on any number"), Which.TOPIC: _("Anything")}[subject.of]
    name = directory.name_of(subject.of, int(asked.of)) or _("which is no more")
    if subject.of is Which.NUMBER:
        return _("Conversation on “%(name)s”", name=name)
    return _("%(subject)s “%(name)s”", subject=translated(subject.label), name=name)


def _value(shape: Shape, asked: Condition) -> str:
    found = _VALUES.get(shape)
    if found is not None:
        return found(asked.value)
    return "" if asked.value is None else _said(asked.value)


def _many(value: list[Any]) -> str:
    shown = ", ".join(map(_said, value[:_SHOWN_VALUES]))
    more = len(value) - _SHOWN_VALUES
    return _("%(some)s and %(count)s more", some=shown, count=figure(more)) if more > 0 else shown


def _failure(value: str | None) -> str:
    if value is None:
        return _("for any reason")
    label = translated(LABELS[value])
    return label if value == OTHER else _("because %(reason)s", reason=label)


def _place(value: Mapping[str, Any]) -> str:
    where = f"{value['latitude']}, {value['longitude']}"
    return _("%(place)s: within %(km)s km", place=where, km=f"{value['km']:,}")


def _said(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"“{value}”" if isinstance(value, str) else f"{value}"


_VALUES: Mapping[Shape, Callable[[Any], str]] = {
    Shape.TWO: lambda value: _("%(first)s and %(second)s", first=_said(value[0]), second=_said(value[1])),
    Shape.MANY: _many,
    Shape.DAYS: lambda value: ngettext("%(days)s day", "%(days)s days", value, days=figure(value)),
    Shape.PLACE: _place,
    Shape.CHANNEL: lambda value: "WhatsApp" if value in {None, "whatsapp"} else value.replace("_", " "),
    Shape.FAILURE: _failure,
}
