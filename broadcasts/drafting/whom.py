"""The people a draft would go to as it is being made, counted and looked up while somebody waits."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.person import Person
from bot.people import terms
from bot.people.rules import compiling, counting
from bot.people.rules.counting import Count
from bot.people.rules.schema import Condition, Group, Match, Negation, Node
from broadcasts.drafting.wanted import Wanted


def rule_of(wanted: Wanted) -> Node:
    """Everybody in one of its segments and in none of those left out, as a rule."""
    chosen = tuple(Condition("segment", "in", of=id_) for id_ in wanted.segment_ids)
    left_out = (Negation(Condition("segment", "in", of=id_)) for id_ in wanted.minus_ids)
    return Group(Match.ALL, (Group(Match.ANY, chosen), *left_out))


def count(session: Session, environment: str, wanted: Wanted, *, is_patient: bool = False) -> Count:
    """Raises RuleError if a segment's rule cannot be asked."""
    if not wanted.segment_ids:
        return Count(0, is_exact=True)
    return counting.count(session, environment, rule_of(wanted), is_patient=is_patient)


def few(
    session: Session, environment: str, wanted: Wanted, *, below: int | None = None, limit: int = 1
) -> Sequence[Person]:
    """Some of them, the newest first, with ids under `below`; none if they are too rare to be found quickly."""
    if not wanted.segment_ids:
        return []
    return counting.sample(session, environment, rule_of(wanted), limit, below=below)


def find(session: Session, environment: str, wanted: Wanted, asked: str) -> tuple[Person | None, bool]:
    """Whoever is found by a name, a phone number or an id, and whether they are among them; raises SearchError."""
    named = terms.as_set(environment, Person, terms.read(session, environment, asked))
    anybody = select(Person).where(Person.environment == environment, Person.erased_at.is_(None), named)
    anybody = anybody.order_by((Person.distinct_id == asked.strip()).desc(), Person.id.desc()).limit(1)
    if wanted.segment_ids:
        among = compiling.matching(session, environment, rule_of(wanted), Person)
        if (found := session.scalar(anybody.where(among))) is not None:
            return found, True
    return session.scalar(anybody), False


def is_among(session: Session, environment: str, wanted: Wanted, person_id: int) -> bool:
    if not wanted.segment_ids:
        return False
    among = compiling.matching(session, environment, rule_of(wanted), Person)
    return session.scalar(select(Person.id).where(Person.id == person_id, among)) is not None
