"""Behaviours as they happen, in the transaction in which they do: whoever changes something says so here, in bulk."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import BigInteger, any_, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from bot.goals import folding
from bot.goals.recording import Done, record
from bot.goals.watching import Watched, watched
from bot.models.goals import Behaviour, BehaviourDay, BehaviourKind
from bot.models.journey import Journey
from bot.models.person import Person
from bot.people.rules import compiling
from bot.people.rules.schema import Group, Match, load

Happening = TypeVar("Happening")


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody wrote, or the title of the button that they tapped."""

    person_id: int
    number_id: int
    body: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Passed:
    """Steps of a journey that a run has behind it: said, or answered."""

    person_id: int
    journey_id: int
    number_id: int
    steps: Collection[int]
    """By index."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that a program told."""

    person_id: int
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Clicked:
    """A tracked link that somebody followed, by its name."""

    person_id: int
    link: str
    at: datetime


def said(session: Session, environment: str, messages: Sequence[Said]) -> None:
    _note(session, environment, BehaviourKind.KEYWORD, messages, spoken)


def spoken(sought: Sequence[Watched], messages: Iterable[Said]) -> Iterator[Done]:
    for one in messages:
        body = folding.fold(one.body or "")
        for each in sought:
            if any(folding.holds(body, words) for words in each.condition["words"]):
                yield Done(each.id, one.person_id, one.at, one.number_id)


def passed(session: Session, environment: str, runs: Sequence[Passed]) -> None:
    _note(session, environment, BehaviourKind.STEP, runs, partial(walked, session))


def walked(session: Session, sought: Sequence[Watched], runs: Sequence[Passed]) -> Iterator[Done]:
    """Of whatever version of the journey."""
    of = select(Journey.id, Journey.name).where(Journey.id.in_({each.journey_id for each in runs}))
    names = dict(session.execute(of).all())
    for one in runs:
        for each in sought:
            wanted = each.condition
            if wanted["journey"] == names.get(one.journey_id) and wanted["step"] - 1 in one.steps:
                yield Done(each.id, one.person_id, one.at, one.number_id)


def attributes_changed(session: Session, environment: str, people: Collection[int]) -> None:
    """Of people who are new, too. Reached is what holds now and was never known to hold."""
    for each in watched(session, environment, BehaviourKind.ATTRIBUTE):
        if among := _beyond_the_past(session, each, people) if each.is_looking else people:
            at = session.execute(select(func.clock_timestamp())).scalar_one()
            record(session, environment, [Done(each.id, id_, at) for id_ in holding(session, each, among)])


def _beyond_the_past(session: Session, sought: Watched, people: Collection[int]) -> Sequence[int]:
    """Of the people those whom the look back has been at or will not come to; of all others it finds who has it."""
    of = select(Person.id).join(Behaviour, Behaviour.id == sought.id).where(Person.id.in_(people))
    is_new = or_(Person.id > Behaviour.look_to, Person.created_at >= Behaviour.created_at)
    return session.scalars(of.where(or_(Person.id <= Behaviour.looked_to, is_new))).all()


def holding(session: Session, sought: Watched, people: Collection[int]) -> Sequence[int]:
    """Ids of those among the people whose attribute is as wanted and was not before."""
    rule = Group(Match.ALL, (load(sought.condition),))
    known = exists().where(BehaviourDay.behaviour_id == sought.id, BehaviourDay.person_id == Person.id)
    among = Person.id == any_(literal(sorted(people), ARRAY(BigInteger)))
    found = compiling.people(session, sought.environment, rule).where(among, ~known)
    return list(session.scalars(found.order_by(Person.id)))


def happened(session: Session, environment: str, events: Sequence[Happened]) -> None:
    _note(session, environment, BehaviourKind.EVENT, events, told)


def told(sought: Sequence[Watched], events: Iterable[Happened]) -> Iterator[Done]:
    for one in events:
        for each in sought:
            if each.condition["event"] == one.name:
                yield Done(each.id, one.person_id, one.at)


def clicked(session: Session, environment: str, clicks: Sequence[Clicked]) -> None:
    _note(session, environment, BehaviourKind.LINK, clicks, followed)


def followed(sought: Sequence[Watched], clicks: Iterable[Clicked]) -> Iterator[Done]:
    for one in clicks:
        for each in sought:
            if each.condition["link"] == one.link:
                yield Done(each.id, one.person_id, one.at)


def _note(
    session: Session,
    environment: str,
    kind: BehaviourKind,
    happenings: Sequence[Happening],
    find: Callable[[Sequence[Watched], Sequence[Happening]], Iterable[Done]],
) -> None:
    """Record what `find` recognises among them; where no goal looks out for the kind, that is all it costs."""
    sought = watched(session, environment, kind)
    if sought and happenings:
        record(session, environment, list(find(sought, happenings)))
