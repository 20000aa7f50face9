"""Whether the tables would reach BigQuery, tried step by step with an empty table that goes again."""

import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.insights.bigquery import schemas
from bot.insights.bigquery.calls import Calls
from bot.insights.bigquery.problems import ProblemError
from bot.insights.bigquery.targets import Target
from bot.insights.export.tables import TABLES


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    found: str
    is_well: bool = True


def check(target: Target) -> Iterator[Step]:
    """Each step as it is done; the one that fails is the last, and says what to do."""
    what = "sign-in"
    try:
        with closing(Calls(target)) as calls:
            yield Step(what, target.credentials or "as this machine is signed in")
            what = "dataset"
            yield Step(what, f"{target.destination} in {calls.location()}")
            what = "tables"
            yield Step(what, _make_table(calls))
            what = "statements"
            yield Step(what, _try_statements(calls))
    except ProblemError as problem:
        yield Step(what, str(problem), is_well=False)


def _make_table(calls: Calls) -> str:
    table, name = TABLES["topics"], f"incoming_check_{uuid.uuid4().hex[:16]}"
    try:
        calls.stage(table, name)
    finally:
        with suppress(ProblemError):
            calls.drop(name)
    return "can be made and deleted"


def _try_statements(calls: Calls) -> str:
    """Every table's that is there already, which tells too whether somebody has changed it."""
    known = [table for table in TABLES.values() if calls.is_there(table.name)]
    calls.try_out("SELECT 1")
    for table in known:
        there = calls.target.named(table.name)
        calls.try_out(schemas.merge(table, there, there, None), table.name)
        calls.try_out(schemas.delete_older(there, datetime.now(UTC)), table.name)
    return f"can be run, on {len(known)} of {len(TABLES)} tables; the others are made when they are first sent"
