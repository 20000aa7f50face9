"""What the tests of this folder do: people come and change, tables are sent, and both sides are compared."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update

from bot.erasure import erasing
from bot.insights.bigquery import problems, working
from bot.insights.bigquery.targets import target_of
from bot.insights.export import reading
from bot.insights.export.shapes import Table
from bot.insights.export.tables import TABLES
from bot.models.bigquery import BigqueryRun
from bot.models.connection import Number
from bot.models.goals import PersonEvent
from bot.models.person import Person
from bot.people import merge
from bot.runtime import Runtime
from tests import factories as make
from tests.harness.bigquery import BigQuery

SOME = tuple(TABLES[name] for name in ("people", "messages", "person_events", "segment_members"))
"""Some that come as they change, some that come as a whole; each table goes the same way."""
FEW = (TABLES["people"], TABLES["segment_members"])


def make_newcomers(rt: Runtime) -> Sequence[int]:
    """Seven who have written twice each, and of whom a program told something; five of them in a segment."""
    with rt.transaction() as session:
        number = session.scalars(select(Number)).one()
        found = [make.make_person(session) for _ in range(7)]
        make.make_segment(session, found[:5])
        for person in found * 2:
            make.make_inbound(session, person, number)
        for person in found:
            told = {"environment": "live", "name": "joined", "at": func.now(), "key": "course"}
            session.add(PersonEvent(person_id=person.id, **told))
        session.flush()
        return [person.id for person in found]


def send(rt: Runtime, tables: Sequence[Table] = SOME, *, times: int = 1) -> None:
    for _ in range(times):
        assert working.go_on(rt, lambda: False, is_asked=True, tables=tables)


def problem(rt: Runtime) -> str | None:
    with rt.transaction() as session:
        found = session.scalar(select(BigqueryRun.problem).order_by(BigqueryRun.id.desc()).limit(1))
    return found and problems.sentence(found)


def assert_same(rt: Runtime, there: BigQuery, tables: Sequence[Table] = SOME) -> None:
    """Each table there holds the rows that a whole export would, once each."""
    target = target_of(rt.settings)
    assert target is not None
    assert problem(rt) is None
    for table in tables:
        with reading.snapshot(rt) as snap:
            batches = reading.batches(snap, table, target.environment, None, target.hide)
            ours = [row for batch in batches for row in batch.to_pylist()]
        assert ordered(table, there.kept.rows(f'SELECT * FROM "{table.name}"')) == ordered(table, ours), table.name


def ordered(table: Table, rows: list[dict[str, Any]]) -> list[list[str]]:
    names = [column.name for column in table.columns]
    return sorted([str(row[name]).removesuffix("+00:00") for name in names] for row in rows)


def change(rt: Runtime, people: Sequence[int]) -> None:
    """One has another name, one writes again, one is erased, two become one."""
    with rt.transaction() as session:
        session.execute(update(Person).where(Person.id == people[0]).values(first_name="Ada"))
        make.make_inbound(session, session.get_one(Person, people[1]), session.scalars(select(Number)).one())
        erasing.erase(session, rt.settings, people[2], erasing.Actor())
        merge.merge(session, [people[3], people[4]], "they are one")


def rename(rt: Runtime) -> None:
    with rt.transaction() as session:
        newest = session.scalars(select(Person).order_by(Person.id.desc()).limit(3)).all()
        for person in newest:
            person.first_name = f"{person.first_name} the Second"


def free(rt: Runtime) -> None:
    """As if the lease of whoever held it had run out."""
    with rt.transaction() as session:
        session.execute(update(BigqueryRun).values(lease_until=None))
