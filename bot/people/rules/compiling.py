"""A rule → one SELECT of person ids. Every part of it names the environment; no part of it is ever text."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Exists, Select, and_, exists, or_, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember
from bot.models.words import SegmentKind
from bot.people.rules import activity, attributes, outcomes, profile
from bot.people.rules.schema import Condition, Group, Match, Negation, Node, Problem, RuleError, load

MOST_COMPILED = 500
"""Conditions of a rule and of all the rules it leads to."""


def people(session: Session, environment: str, rule: Node, now: datetime | None = None) -> Select[int]:
    """Ids of whoever the rule says; days end at midnight in the zone of `now`, by default the workspace's."""
    return select(Person.id).where(matching(session, environment, rule, Person, now))


def matching(
    session: Session, environment: str, rule: Node, person: type[Person], now: datetime | None = None
) -> ColumnElement[bool]:
    """The same as a condition on a table of people, or on a sample of it."""
    at = now or datetime.now(ZoneInfo(runtime.current().settings.time_zone))
    is_somebody = and_(person.environment == environment, person.erased_at.is_(None))
    return and_(is_somebody, _Compiler(session, environment, person, at).node(rule))


def members(environment: str, segment_id: int, person: type[Person]) -> ColumnElement[bool]:
    """Whether somebody is in a static segment."""
    return exists().where(
        SegmentMember.segment_id == segment_id,
        SegmentMember.person_id == person.id,
        SegmentMember.environment == environment,
    )


def no(asked: ColumnElement[bool]) -> ColumnElement[bool]:
    """Also where the answer is NULL. EXISTS never is, and its plain negation is what the planner makes a join of."""
    return ~asked if isinstance(asked, Exists) else asked.is_not(True)


class _Compiler:
    def __init__(self, session: Session, environment: str, person: type[Person], now: datetime) -> None:
        self.session, self.environment, self.person, self.now = session, environment, person, now
        self._left = MOST_COMPILED
        self._path: list[int] = []
        self._segments: dict[int, Node | None] = {}

    def node(self, node: Node) -> ColumnElement[bool]:
        """NULL in here means no: AND and OR keep it so, and a negation asks for what IS NOT TRUE."""
        match node:
            case Negation():
                return no(self.node(node.node))
            case Group(match=Match.ALL):
                return and_(*(self.node(each) for each in node.nodes))
            case Group():
                return or_(*(self.node(each) for each in node.nodes))
            case Condition():
                return self._condition(node)
        raise AssertionError(node)

    def _condition(self, asked: Condition) -> ColumnElement[bool]:
        self._left -= 1
        if self._left < 0:
            raise RuleError([Problem("rule", f"With the segments it uses it has over {MOST_COMPILED} conditions.")])
        if asked.what == "attribute":
            return attributes.matching(self.person, asked, self.now)
        if asked.what == "segment":
            belongs = self._segment(int(asked.of or 0))
            return belongs if asked.operator == "in" else no(belongs)
        for room in (profile, activity, outcomes):
            if asked.what in room.SUBJECTS:
                found: ColumnElement[bool] = room.matching(self.person, self.environment, asked, self.now)
                return found
        raise AssertionError(asked.what)

    def _segment(self, segment_id: int) -> ColumnElement[bool]:
        """A rule's segment is its rule, asked of the same person; so it is one statement however far it leads."""
        if segment_id in self._path:
            raise RuleError([Problem("rule", "It leads back to itself through the segments it uses.")])
        rule = self._rule_of(segment_id)
        if rule is None:
            return members(self.environment, segment_id, self.person)
        self._path.append(segment_id)
        found = self.node(rule)
        self._path.pop()
        return found

    def _rule_of(self, segment_id: int) -> Node | None:
        if segment_id not in self._segments:
            data: Mapping[str, Any] | None = self.session.scalar(
                select(Segment.rule).where(
                    Segment.id == segment_id,
                    Segment.environment == self.environment,
                    Segment.kind == SegmentKind.RULE,
                )
            )
            self._segments[segment_id] = None if data is None else load(data)
        return self._segments[segment_id]
