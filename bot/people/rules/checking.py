"""Whatever was sent as a rule → a rule that can be kept, or every problem with its place."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.orm import Session

from bot.people.rules import values
from bot.people.rules.directory import Directory
from bot.people.rules.operators import SUBJECTS, Subject, Which, operators_of, value_type
from bot.people.rules.schema import (
    DEEPEST,
    MOST_CONDITIONS,
    MOST_PROBLEMS,
    VERSION,
    Condition,
    Group,
    Match,
    Negation,
    Node,
    Problem,
    RuleError,
    conditions,
)

ROOT = "rule"
_GROUPS = ("all", "any", "not")
_FIELDS = frozenset({"what", "of", "type", "operator", "value"})


class _BadError(Exception):
    """A condition is no good; `field` is where in it."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field, self.text = field, text


def check(session: Session, environment: str, given: object) -> Node:
    """The rule, if it can be used in that environment; RuleError otherwise. Whether it leads to itself is not asked."""
    checker = _Checker(Directory(session, environment))
    node = checker.outermost(given)
    if node is not None and sum(1 for _ in conditions(node)) > MOST_CONDITIONS:
        checker.say(ROOT, f"A rule holds {MOST_CONDITIONS} conditions at most.")
    if checker.problems or node is None:
        raise RuleError(checker.problems)
    return node


class _Checker:
    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.problems: list[Problem] = []

    def say(self, path: str, text: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(path, text))

    def outermost(self, given: object) -> Node | None:
        if not isinstance(given, dict):
            self.say(ROOT, 'A rule is an object: {"version": 1, "all": [ … ]}.')
            return None
        version = given.get("version")
        if version != VERSION or isinstance(version, bool):
            self.say(f"{ROOT}.version", f"Say which version of the schema it is written in: {VERSION}.")
            return None
        rest = {name: value for name, value in given.items() if name != "version"}
        if not rest.keys() & set(_GROUPS):
            self.say(ROOT, "The outermost of a rule is a group: all, any or not.")
            return None
        return self._node(rest, ROOT, 1)

    def _node(self, given: object, path: str, depth: int) -> Node | None:
        if not isinstance(given, dict):
            self.say(path, "This must be a condition or a group: an object.")
            return None
        groups = [name for name in _GROUPS if name in given]
        if not groups:
            return self._condition(given, path)
        if len(given) > 1:
            self.say(path, f"A group is {groups[0]} and nothing beside it: put the rest inside.")
            return None
        if depth > DEEPEST:
            self.say(path, f"Groups go {DEEPEST} deep at most: make a segment of the inner ones and use that.")
            return None
        if groups[0] == "not":
            inner = self._node(given["not"], f"{path}.not", depth + 1)
            return None if inner is None else Negation(inner)
        return self._group(Match(groups[0]), given[groups[0]], f"{path}.{groups[0]}", depth)

    def _group(self, match: Match, given: object, path: str, depth: int) -> Node | None:
        if not isinstance(given, list) or not given:
            self.say(path, "Put at least one condition here, in a list.")
            return None
        if len(given) > MOST_CONDITIONS:
            self.say(path, f"A rule holds {MOST_CONDITIONS} conditions at most.")
            return None
        found = [self._node(each, f"{path}[{place}]", depth + 1) for place, each in enumerate(given)]
        nodes = tuple(node for node in found if node is not None)
        return Group(match, nodes) if nodes else None

    def _condition(self, given: Mapping[str, Any], path: str) -> Condition | None:
        try:
            return _read(self.directory, given)
        except _BadError as error:
            self.say(f"{path}.{error.field}" if error.field else path, error.text)
            return None


def _read(directory: Directory, given: Mapping[str, Any]) -> Condition:
    for name in given:
        if name not in _FIELDS:
            raise _BadError(name[:64], f"There is no such field: use {', '.join(sorted(_FIELDS))}, or all, any, not.")
    what = _word(given, "what", SUBJECTS)
    of = _which(directory, SUBJECTS[what], given.get("of"))
    kind = directory.type_of(str(of)) if what == "attribute" else None
    if given.get("type") is not None and given["type"] != kind:
        raise _BadError("type", f"It is of the type {kind}: leave this out." if kind else "Only an attribute has one.")
    fitting = operators_of(what, kind)
    operator = _word(given, "operator", fitting)
    try:
        value = values.check(fitting[operator].shape, value_type(what, kind), given.get("value"))
    except ValueError as error:
        raise _BadError("value", str(error)) from error
    return Condition(what, operator, of, _spelled(what, value), kind)


def _word(given: Mapping[str, Any], name: str, known: Collection[str]) -> str:
    word = given.get(name)
    if isinstance(word, str) and word in known:
        return word
    near = difflib.get_close_matches(word, known, n=1) if isinstance(word, str) else []
    meant = f"did you mean {near[0]}? There are" if near else "choose one of"
    raise _BadError(name, f"{'It is missing' if word is None else 'That is unknown'}: {meant} {', '.join(known)}.")


def _which(directory: Directory, subject: Subject, of: object) -> str | int | None:
    if subject.of is None:
        if of is not None:
            raise _BadError("of", "There is only one of it: leave this out.")
        return None
    if of is None and subject.is_of_optional:
        return None
    if subject.of is Which.ATTRIBUTE:
        if isinstance(of, str) and directory.type_of(of) is not None:
            return of
        near = difflib.get_close_matches(str(of), [name for name, _ in directory.choices(subject.of)], n=1)
        hint = f"did you mean {near[0]}?" if near else "the list of properties shows all."
        raise _BadError("of", f"There is no attribute of that name in {directory.environment}: {hint}")
    if isinstance(of, int) and not isinstance(of, bool) and directory.name_of(subject.of, of) is not None:
        return of
    raise _BadError("of", f"There is no such {subject.of} in {directory.environment}: give its id.")


def _spelled(what: str, value: Any) -> Any:  # noqa: ANN401 (as JSON has it)
    """Countries are kept in capitals."""
    if what == "country" and isinstance(value, str):
        return value.upper()
    return [each.upper() for each in value] if what == "country" and isinstance(value, list) else value
