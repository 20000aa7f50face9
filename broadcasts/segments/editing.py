"""Making, changing and deleting segments. Rules that lead to each other are held together, so none leads to itself."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.language import _, figure, translated
from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember
from bot.models.words import SegmentKind
from bot.people.rules import checking, compiling
from bot.people.rules.schema import Node, Problem, RuleError, as_data
from bot.people.segments import NOBODY, Maker, SegmentError, add_selection, clean_name
from broadcasts.segments import uses
from broadcasts.segments.uses import Use

MOST_NAMED = 10_000
"""Distinct ids in one request."""


def create_rule(session: Session, environment: str, name: str, rule: object, maker: Maker = NOBODY) -> Segment:
    """Raises SegmentError for the name, RuleError for the rule."""
    checked = _checked(session, environment, rule)
    made = _insert(session, environment, clean_name(name), maker, kind=SegmentKind.RULE, rule=as_data(checked))
    session.flush()
    return made


def create_static(
    session: Session, environment: str, name: str, distinct_ids: Collection[str], maker: Maker = NOBODY
) -> Segment:
    """Of people who are known; raises SegmentError that names some who are not."""
    wanted = set(distinct_ids)
    if len(wanted) > MOST_NAMED:
        raise SegmentError(
            _(
                "%(count)s people are too many at once: give %(most_named)s or fewer.",
                count=figure(len(wanted)),
                most_named=figure(MOST_NAMED),
            )
        )
    found = select(Person.id, Person.distinct_id).where(
        Person.environment == environment, Person.distinct_id.in_(wanted)
    )
    known = {distinct_id: id_ for id_, distinct_id in session.execute(found)}
    if unknown := sorted(wanted - known.keys()):
        shown = ", ".join(each[:60] for each in unknown[:5])
        raise SegmentError(
            _(
                "%(count)s of them are not known in %(environment)s, such as %(shown)s.",
                count=figure(len(unknown)),
                environment=environment,
                shown=shown,
            )
        )
    made = _insert(session, environment, clean_name(name), maker, origin=f"{len(known):,} distinct ids")
    add_selection(session, environment, made.name, known.values())
    return made


def change_rule(session: Session, segment: Segment, rule: object) -> None:
    """Raises RuleError, also if it would lead to itself; SegmentError while a launch still asks the old one."""
    checked = _checked(session, segment.environment, rule)
    _hold_rules(session, segment.environment)
    if segment.kind != SegmentKind.RULE:
        raise SegmentError(
            _("%(name)s is a list of people and goes by no rule: make a new segment for the rule.", name=segment.name)
        )
    if segment.id in uses.reach(session, segment.environment, checked):
        raise RuleError(
            [
                Problem(
                    checking.ROOT,
                    _("It leads back to %(name)s itself through the segments it uses.", name=segment.name),
                )
            ]
        )
    _refuse_while_counted(session, segment)
    segment.rule = as_data(checked)
    session.flush()


def rename(session: Session, segment: Segment, name: str) -> None:
    name = clean_name(name)
    taken = select(Segment.id).where(
        Segment.environment == segment.environment, Segment.name == name, Segment.id != segment.id
    )
    if session.scalar(taken) is not None:
        raise _taken(name)
    segment.name = name
    session.flush()


def duplicate(session: Session, segment: Segment, maker: Maker = NOBODY) -> Segment:
    """With the same rule or, of a static one, the same people."""
    name = _free_name(session, segment)
    copied: dict[str, Any] = {"kind": segment.kind, "rule": segment.rule}
    made = _insert(session, segment.environment, name, maker, origin=f"A copy of {segment.name}", **copied)
    if segment.rule is None:
        members = select(SegmentMember.person_id).where(SegmentMember.segment_id == segment.id)
        add_selection(session, segment.environment, name, members)
    return made


def _in_words(found: Sequence[Use]) -> str:
    named = ", ".join(
        _(
            "the %(kind)s “%(name)s” (%(state)s)",
            kind=translated(each.kind),
            name=each.name,
            state=translated(each.state),
        )
        for each in found[:5]
    )
    if len(found) <= 5:
        return named
    return _("%(some)s and %(count)s more", some=named, count=figure(len(found) - 5))


def delete(session: Session, segment: Segment) -> None:
    """Raises SegmentError with the names of what uses it."""
    _hold_rules(session, segment.environment)
    session.execute(select(Segment.id).where(Segment.id == segment.id).with_for_update())
    if found := uses.of(session, segment):
        raise SegmentError(
            _("%(name)s cannot be deleted, for it is used by %(uses)s.", name=segment.name, uses=_in_words(found))
        )
    session.delete(segment)
    session.flush()


def _checked(session: Session, environment: str, rule: object) -> Node:
    """Compiled once as well: what it leads to may be too much."""
    checked = checking.check(session, environment, rule)
    referred = uses.references(checked)
    held = select(Segment.id).where(Segment.id.in_(referred)).order_by(Segment.id).with_for_update(key_share=True)
    if set(session.scalars(held)) != referred:
        raise RuleError([Problem(checking.ROOT, _("A segment it uses was deleted in this moment: choose anew."))])
    compiling.people(session, environment, checked)
    return checked


def _hold_rules(session: Session, environment: str) -> None:
    """One change of a rule at a time: two at once could lead to each other without either seeing it."""
    rules = select(Segment.id).where(Segment.environment == environment, Segment.kind == SegmentKind.RULE)
    session.execute(rules.order_by(Segment.id).with_for_update())


def _refuse_while_counted(session: Session, segment: Segment) -> None:
    broadcast = uses.being_counted(session, segment)
    if broadcast is not None:
        raise SegmentError(
            _("“%(name)s” was launched and is just asking the rule: change it in a moment.", name=broadcast.name)
        )


def _insert(session: Session, environment: str, name: str, maker: Maker, **columns: object) -> Segment:
    made: Segment | None = session.scalar(
        insert(Segment)
        .values(
            environment=environment,
            name=name,
            created_by_operator_id=maker.operator_id,
            created_by_token_id=maker.token_id,
            **columns,
        )
        .on_conflict_do_nothing()
        .returning(Segment)
    )
    if made is None:
        raise _taken(name)
    return made


def _free_name(session: Session, segment: Segment) -> str:
    base = segment.name[:80]
    there = set(session.scalars(select(Segment.name).where(Segment.environment == segment.environment)))
    return next(name for place in range(1, len(there) + 2) if (name := _copy_name(base, place)) not in there)


def _copy_name(base: str, place: int) -> str:
    return f"{base} (copy)" if place == 1 else f"{base} (copy {place})"


def _taken(name: str) -> SegmentError:
    return SegmentError(_("There is a segment %(name)s already: take another name.", name=name))
