"""What the page on which a rule is built shows: its fields with what each may hold, what is wrong, how many match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import cast, func, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from bot.language import _, spoken, translated
from bot.models.person import Person
from bot.models.words import Channel, PropertyType
from bot.people import properties
from bot.people.rules import checking, counting
from bot.people.rules.counting import Count
from bot.people.rules.directory import Directory
from bot.people.rules.failures import LABELS
from bot.people.rules.operators import SUBJECTS, Operator, Shape, Which, operators_of, value_type
from bot.people.rules.schema import DEEPEST, RuleError
from broadcasts.segments import fields, form
from broadcasts.segments.form import Draft, DraftCondition, DraftGroup

_SUGGESTED = 12
_LOOKED_AT = 2_000
_WORDY = frozenset({PropertyType.TEXT, PropertyType.ARRAY})


@dataclass(frozen=True, slots=True)
class Answer:
    """How many a rule matches and a few of them; without a count it is unfinished, or `problems` say why not."""

    count: Count | None = None
    people: Sequence[Person] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    """By place in the form."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A condition as it is drawn."""

    choices: Sequence[tuple[str, str]] | None
    operators: Mapping[str, Operator]
    shape: Shape
    input: str
    suggestions: Sequence[str]


class Builder:
    """Everything templates ask of a rule that is being built."""

    def __init__(self, session: Session, environment: str, root: DraftGroup) -> None:
        self.session, self.environment, self.root = session, environment, root
        self.directory = Directory(session, environment)
        self.matches, self.failures = spoken(form.MATCHES), spoken(LABELS)
        self.channels = list(Channel)
        self.custom = properties.custom(session, environment)

    def subjects(self) -> dict[str, list[tuple[str, str]]]:
        """Heading → (value, label), custom attributes first."""
        found = {_("Attributes"): [(f"attribute:{name}", name) for name in self.custom]} if self.custom else {}
        for name, subject in SUBJECTS.items():
            if subject.of is not Which.ATTRIBUTE:
                found.setdefault(translated(subject.group), []).append((name, translated(subject.label)))
        return found

    def is_group(self, node: Draft) -> bool:
        return isinstance(node, DraftGroup)

    def may_nest(self, path: str) -> bool:
        return form.depth(path) < DEEPEST

    def fields(self, node: DraftCondition) -> Fields:
        name, _, kind = fields.subject(node.what, self.custom.get)
        fitting = operators_of(name, kind)
        operator = fitting.get(node.operator) or next(iter(fitting.values()), Operator("", Shape.NONE))
        which, type_ = fields.needs_of(node.what), value_type(name, kind)
        is_wordy = operator.shape in {Shape.ONE, Shape.MANY} and type_ in _WORDY
        return Fields(
            choices=None if which is None else self.directory.choices(which),
            operators=fitting,
            shape=operator.shape,
            input="yes_no" if type_ is PropertyType.BOOLEAN else fields.INPUTS.get(type_, "text"),
            suggestions=self._suggestions(node.what) if is_wordy else (),
        )

    def settle(self) -> None:
        """A subject that was chosen anew has other operators: take its first, and the first of what it is of."""
        for _path, node in form.walk(self.root):
            if isinstance(node, DraftCondition) and node.what:
                drawn = self.fields(node)
                if node.operator not in drawn.operators:
                    node.operator, node.given = next(iter(drawn.operators), ""), {}
                values = [value for value, _ in drawn.choices or ()]
                if drawn.choices is not None and node.of not in values:
                    is_optional = SUBJECTS[node.what].is_of_optional
                    node.of = "" if is_optional or not values else values[0]

    def rule(self) -> tuple[dict[str, Any], dict[str, str]]:
        return form.as_rule(self.root, self.custom.get)

    def answer(self, *, is_patient: bool = False) -> Answer:
        rule, places = self.rule()
        try:
            checked = checking.check(self.session, self.environment, rule)
            count = counting.count(self.session, self.environment, checked, is_patient=is_patient)
            return Answer(count, counting.sample(self.session, self.environment, checked))
        except RuleError as error:
            return Answer(problems=placed(error, places))

    def _suggestions(self, what: str) -> list[str]:
        """What some of the newest people have there, the most frequent first."""
        name, attribute, kind = fields.subject(what, self.custom.get)
        some = select(Person).where(Person.environment == self.environment).order_by(Person.id.desc())
        found = some.limit(_LOOKED_AT).subquery()
        if attribute is None:
            held: Any = found.c[name]
        elif kind is PropertyType.ARRAY:
            return []
        else:
            held = found.c.attributes[attribute].astext
        value = cast(held, Text).label("value")
        often = select(value).where(func.coalesce(value, "") != "").group_by(value).order_by(func.count().desc(), value)
        return list(self.session.scalars(often.limit(_SUGGESTED)))


def placed(error: RuleError, places: Mapping[str, str]) -> dict[str, str]:
    """Each problem at the place of the form it belongs to."""
    told: dict[str, str] = {}
    for problem in error.problems:
        path = problem.path
        while path not in places and path:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        told.setdefault(places.get(path, form.ROOT), problem.text)
    return told
