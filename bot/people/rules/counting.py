"""How many people a rule matches, and a few of them, while somebody waits: exact where that is quick, else about.

A count that would take long is judged by a sample of pages of the table; what is too rare for a sample, by the planner.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from psycopg.errors import QueryCanceled
from sqlalchemy import ColumnElement, Select, String, cast, column, func, literal, select, table
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, aliased

from bot.models.person import Person
from bot.people.rules import compiling
from bot.people.rules.explaining import Explain
from bot.people.rules.schema import Node

QUICK_MS = 120
"""What a count may take while somebody builds a rule; an estimate comes on top."""
PATIENT_MS = 20_000
"""What it may take when the exact number was asked for."""
SAMPLE_MS = 2_000

DEAREST = 60_000.0
"""Planner's cost above which no exact count is tried in QUICK_MS: see docs/performance.md."""
SAMPLED_PEOPLE = 4_000
FEWEST = 12
"""Matches in the sample below which the sample says only that they are rare."""
_SEED = 1  # the same pages at each key press, so that a count changes only with the rule

Result = TypeVar("Result")

_pg_class = table("pg_class", column("oid"), column("reltuples"))


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


def sample(session: Session, environment: str, rule: Node, limit: int = 5) -> Sequence[Person]:
    """A few of them, the newest first; none if they are too rare to be found quickly."""
    matching = compiling.matching(session, environment, rule, Person)
    query = select(Person).where(matching).order_by(Person.id.desc()).limit(limit)
    return _within(session, QUICK_MS, lambda: session.scalars(query).all()) or ()


def _estimate(session: Session, environment: str, rule: Node, planned: int) -> Count:
    everybody = session.scalar(select(_pg_class.c.reltuples).where(_pg_class.c.oid == func.to_regclass("person"))) or 0
    percent = min(100.0, 100.0 * SAMPLED_PEOPLE / max(everybody, 1))
    some = aliased(Person, Person.__table__.tablesample(func.system(percent), seed=literal(_SEED)))
    matching = compiling.matching(session, environment, rule, some)
    found = _within(session, SAMPLE_MS, lambda: session.scalars(_counted(some, matching)).one())
    if found is None or (found < FEWEST and percent < 100):
        return Count(_rounded(min(planned, FEWEST * 100 / percent)), is_exact=False)
    return Count(found, is_exact=True) if percent == 100 else Count(_rounded(found * 100 / percent), is_exact=False)


def _counted(some: type[Person], matching: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(some).where(matching)


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
