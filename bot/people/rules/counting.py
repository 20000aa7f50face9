"""How many people a rule matches, and a few of them, while somebody waits: exact where that is quick, else about.

A count that would take long is judged by some thousand people drawn by lot; what is too rare for these, by the planner.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from psycopg.errors import QueryCanceled
from sqlalchemy import ARRAY, BigInteger, String, any_, cast, func, literal, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.models.person import Person
from bot.people.rules import compiling
from bot.people.rules.explaining import Explain
from bot.people.rules.schema import Node

QUICK_MS = 120
"""What a count may take while somebody builds a rule; an estimate comes on top."""
PATIENT_MS = 20_000
"""What it may take when the exact number was asked for."""
SAMPLE_MS = 2_000

DEAREST = 8_000.0
"""Planner's cost above which no exact count is tried in QUICK_MS: see docs/performance.md."""
SAMPLED_PEOPLE = 2_000
FEWEST = 12
"""Matches in the sample below which the sample says only that they are rare."""
_SEED = 1  # the same people at each key press, so that a count changes only with the rule

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Count:
    value: int
    is_exact: bool

    def __str__(self) -> str:
        return f"{self.value:,}" if self.is_exact else f"about {self.value:,}"


def count(session: Session, environment: str, rule: Node, *, is_patient: bool = False) -> Count:
    """`is_patient`: take PATIENT_MS for the exact number; where even that is too short it is about."""
    matching = compiling.matching(session, environment, rule, Person)
    query = select(func.count()).select_from(Person).where(matching)
    planned = session.scalars(Explain(select(Person.id).where(matching))).one()
    plan = planned[0]["Plan"]
    if is_patient or plan["Total Cost"] <= DEAREST:
        found = _within(session, PATIENT_MS if is_patient else QUICK_MS, lambda: session.scalars(query).one())
        if found is not None:
            return Count(found, is_exact=True)
    return _estimate(session, environment, rule, int(plan["Plan Rows"]))


def sample(
    session: Session, environment: str, rule: Node, limit: int = 5, *, below: int | None = None
) -> Sequence[Person]:
    """A few of them, the newest first, with ids under `below`; none if they are too rare to be found quickly."""
    matching = compiling.matching(session, environment, rule, Person)
    query = select(Person).where(matching).order_by(Person.id.desc()).limit(limit)
    if below is not None:
        query = query.where(Person.id < below)
    return _within(session, QUICK_MS, lambda: session.scalars(query).all()) or ()


def _estimate(session: Session, environment: str, rule: Node, planned: int) -> Count:
    """By people drawn from the whole table: whoever was imported together stands together and is much alike."""
    first, last = (session.scalar(select(end(Person.id))) for end in (func.min, func.max))
    if first is None or last is None:
        return Count(0, is_exact=True)
    everybody = range(first, last + 1)
    drawn = random.Random(_SEED).sample(everybody, min(SAMPLED_PEOPLE, len(everybody)))  # noqa: S311 (no secret)
    matching = compiling.matching(session, environment, rule, Person)
    among = Person.id == any_(literal(drawn, ARRAY(BigInteger)))
    query = select(func.count()).select_from(Person).where(among, matching)
    found = _within(session, SAMPLE_MS, lambda: session.scalars(query).one())
    each = len(everybody) / len(drawn)
    if found is not None and len(drawn) == len(everybody):
        return Count(found, is_exact=True)
    if found is None or found < FEWEST:
        return Count(_rounded(min(planned, FEWEST * each)), is_exact=False)
    return Count(_rounded(found * each), is_exact=False)


def _rounded(value: float) -> int:
    """To two digits: an estimate is worth no more."""
    whole = max(int(value), 0)
    unit = int(10 ** max(len(str(whole)) - 2, 0))
    return int(round(whole / unit) * unit)


def _within(session: Session, limit_ms: int, ask: Callable[[], Result]) -> Result | None:
    """The answer, or None if it takes longer; the limit goes with the savepoint, which is always taken back."""
    savepoint = session.begin_nested()
    try:
        options = {"statement_timeout": f"{limit_ms}ms", "jit": "off"}
        session.execute(select(*(func.set_config(cast(name, String), value, True) for name, value in options.items())))
        return ask()
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            return None
        raise
    finally:
        savepoint.rollback()
