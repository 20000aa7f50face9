"""The tables reach BigQuery: the stand-in ends up with what is here, whatever happens on the way."""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot import failpoints
from bot.erasure import erasing
from bot.failpoints import FailpointError
from bot.insights.bigquery import chunks, working
from bot.insights.bigquery.targets import target_of
from bot.insights.export import reading
from bot.insights.export.shapes import Table
from bot.insights.export.tables import TABLES
from bot.models.bigquery import BigqueryRun
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.people import merge
from bot.runtime import Runtime
from tests import factories as make
from tests.harness import bigquery
from tests.harness.bigquery import PROJECT, BigQuery
from tests.harness.runtimes import live_runtime, make_settings
from tests.harness.servers import Servers

SOME = tuple(TABLES[name] for name in ("people", "messages", "segment_members"))
"""Some that come as they change, some that come as a whole; each table goes the same way."""


@pytest.fixture(scope="module")
def home(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A database for all tests of this file: each sends to a place of its own."""
    with servers.fresh_database() as url:
        told = {"PROJECT": PROJECT, "DATASET": "unused", "PEOPLE": "whole"}
        more = {f"BACKCHAT_BIGQUERY_{name}": value for name, value in told.items()}
        with live_runtime(make_settings(tmp_path_factory.mktemp("home"), url, servers.redis_url, **more)) as built:
            with built.transaction() as session:
                make.make_number(session)
            yield built


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQuery]:
    with bigquery.running() as started:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(started.credentials(tmp_path)))
        yield started


@pytest.fixture
def rt(home: Runtime, there: BigQuery) -> Runtime:
    return replace(home, settings=replace(home.settings, bigquery_dataset=there.dataset, bigquery_endpoint=there.url))


@pytest.fixture
def people(rt: Runtime) -> Sequence[int]:
    """Seven who have written twice each, five of them in a segment."""
    return newcomers(rt)


def newcomers(rt: Runtime) -> Sequence[int]:
    with rt.transaction() as session:
        number = session.scalars(select(Number)).one()
        found = [make.make_person(session) for _ in range(7)]
        make.make_segment(session, found[:5])
        for person in found * 2:
            make.make_inbound(session, person, number)
        session.flush()
        return [person.id for person in found]


def send(rt: Runtime, tables: Sequence[Table] = SOME, *, times: int = 1) -> None:
    for _ in range(times):
        assert working.go_on(rt, lambda: False, is_asked=True, tables=tables)


def problem(rt: Runtime) -> str | None:
    with rt.transaction() as session:
        return session.scalar(select(BigqueryRun.error).order_by(BigqueryRun.id.desc()).limit(1))


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


def test_what_is_here_is_there_and_what_changes_follows(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    send(rt)
    assert_same(rt, there)
    change(rt, people)
    send(rt)
    assert_same(rt, there)
    assert [table for table in there.kept.tables if table.startswith("incoming")] == []


def test_all_tables_are_made_as_documented(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    every = tuple(TABLES.values())
    send(rt, every)
    assert_same(rt, there, every)
    messages = there.kept.tables["messages"]
    assert messages["timePartitioning"]["field"] == "created_at"
    assert messages["clustering"]["fields"] == ["id"]
    assert messages["description"] == TABLES["messages"].meaning
    assert all(field["description"] for table in there.kept.tables.values() for field in table["schema"]["fields"])


def test_what_has_not_changed_is_not_sent_again(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    send(rt)
    before = len(there.calls)
    send(rt)
    assert [call for call in there.calls[before:] if not call.startswith("GET")] == []


def test_a_large_table_goes_in_pieces(
    rt: Runtime, there: BigQuery, people: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "ROWS", 3)
    send(rt)
    assert_same(rt, there)
    with rt.transaction() as session:
        messages = session.scalars(select(func.count(Message.id))).one()
    assert len([job for job in there.kept.jobs if re.match("backchat_messages_.*_load", job)]) == -(-messages // 3)
    change(rt, people)
    send(rt)
    assert_same(rt, there)


def test_a_column_of_a_later_version_is_added(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    table = TABLES["people"]
    send(rt, [replace(table, columns=[column for column in table.columns if column.name != "language"])])
    with rt.transaction() as session:
        session.execute(update(Person).values(language="de"))
    send(rt, [table])
    assert_same(rt, there, [table])


def test_a_table_that_was_deleted_there_is_made_anew(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    send(rt)
    there.kept.answer("DELETE", ["datasets", there.dataset, "tables", "messages"], {})
    send(rt)
    assert_same(rt, there)


def test_where_people_become_pseudonyms_nobody_is_left_by_name(
    rt: Runtime, there: BigQuery, people: Sequence[int]
) -> None:
    send(rt)
    hidden = replace(rt, settings=replace(rt.settings, bigquery_people="pseudonyms"))
    send(hidden)
    assert_same(hidden, there)
    kept = str([there.kept.rows(f'SELECT * FROM "{table.name}"') for table in SOME])
    assert "hello" not in kept
    assert "+49" not in kept


JOBS = f"/bigquery/v2/projects/{PROJECT}/jobs"
FAULTS: Sequence[tuple[str, dict[str, Any]]] = [
    ("upload", {"kind": "status", "status": 503}),
    ("upload", {"kind": "drop"}),
    ("upload", {"kind": "lose"}),
    (f"POST {JOBS}", {"kind": "status", "status": 429, "reason": "rateLimitExceeded"}),
    (f"POST {JOBS}", {"kind": "lose"}),
    (f"GET {JOBS}", {"kind": "drop"}),
    ("/tables?", {"kind": "lose"}),
    ("DELETE ", {"kind": "status", "status": 500}),
]


def test_after_any_fault_nothing_is_doubled_or_lost(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    for call, fault in FAULTS:
        there.order(call, **fault)
        change(rt, newcomers(rt))
        send(rt)
        assert there.orders == [], f"{call} {fault} was met"
        if problem(rt) is not None:
            send(rt)
        assert_same(rt, there)


def test_a_job_that_fails_there_is_done_anew_with_fresh_rows(
    rt: Runtime, there: BigQuery, people: Sequence[int]
) -> None:
    for step, reason in (("load", "backendError"), ("merge", "invalid"), ("delete", "backendError")):
        there.kept.failing.append((f"_{step}", reason, "Something went wrong with the row of +4915112345678."))
        change(rt, newcomers(rt))
        send(rt)
        told = problem(rt)
        assert told is not None
        assert "+49" not in told
        change(rt, newcomers(rt))
        send(rt, times=2)
        assert_same(rt, there)


def test_a_crash_between_any_two_steps_leaves_no_trace(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    for point, passed in (("BQ1", 1), ("BQ2", 1), ("BQ3", 1), ("BQ3", 2)):
        change(rt, newcomers(rt))
        failpoints.arm(f"{point}:raise:{passed}")
        with pytest.raises(FailpointError):
            send(rt)
        failpoints.arm("")
        free(rt)
        change(rt, newcomers(rt))
        send(rt, times=2)
        assert_same(rt, there)


def free(rt: Runtime) -> None:
    """As if the lease of whoever held it had run out."""
    with rt.transaction() as session:
        session.execute(update(BigqueryRun).values(lease_until=None))


def test_two_senders_at_once_do_each_piece_once(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    there.kept.polls = 2
    threads = []
    for _ in range(3):
        threads.append(
            threading.Thread(target=working.go_on, args=(rt, lambda: False), kwargs={"is_asked": True, "tables": SOME})
        )
        threads[-1].start()
        there.wait_for("upload" if len(threads) == 1 else f"GET {JOBS}")
        free(rt)  # and the next takes over, while the one before goes on
    for thread in threads:
        thread.join()
    change(rt, people)
    send(rt, times=2)
    assert_same(rt, there)


def test_a_sender_that_slept_overwrites_nothing_newer(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    held = there.hold("upload")
    late = threading.Thread(target=working.go_on, args=(rt, lambda: False), kwargs={"is_asked": True, "tables": SOME})
    late.start()
    held.reached.wait(60)
    free(rt)
    send(rt)
    change(rt, people)
    send(rt)
    held.go_on.set()
    late.join()
    assert_same(rt, there)
