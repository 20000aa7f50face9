"""The tables reach BigQuery: the stand-in ends up with what is here, whatever happens on the way."""

import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot import failpoints, runtime
from bot.failpoints import FailpointError
from bot.insights import leaving
from bot.insights.bigquery import chunks, jobs, working
from bot.insights.export.tables import TABLES
from bot.models.message import Message
from bot.models.person import Person
from bot.runtime import Runtime
from tests.harness.bigquery import PROJECT, BigQuery
from tests.insights.bigquery.sent import FEW, assert_same, change, free, make_newcomers, problem, rename, send


def test_what_is_here_is_there_and_what_changes_follows(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    send(rt)
    assert_same(rt, there)
    change(rt, people)
    send(rt)
    assert_same(rt, there)
    assert [table for table in there.kept.tables if table.startswith("incoming")] == []


def test_all_tables_are_made_as_documented(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    runtime.use(rt)
    leaving.work()
    assert not jobs.is_due(rt), "it is for the next time"
    assert_same(rt, there, tuple(TABLES.values()))
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
    monkeypatch.setattr(chunks, "ROWS", 10)
    send(rt)
    assert_same(rt, there)
    with rt.transaction() as session:
        messages = session.scalars(select(func.count(Message.id))).one()
    assert len([job for job in there.kept.jobs if re.match("backchat_messages_.*_load", job)]) == -(-messages // 10)
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
    kept = str([there.kept.rows(f'SELECT * FROM "{table}"') for table in there.kept.tables])
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
        make_newcomers(rt)
        send(rt, FEW)
        assert there.orders == [], f"{call} {fault} was met"
        if problem(rt) is not None:
            send(rt, FEW)
        assert_same(rt, there, FEW)


def test_a_job_that_fails_there_is_done_anew_with_fresh_rows(
    rt: Runtime, there: BigQuery, people: Sequence[int]
) -> None:
    for step, reason in (("load", "backendError"), ("merge", "invalid"), ("delete", "backendError")):
        there.kept.failing.append((f"_{step}", reason, "Something went wrong with the row of +4915112345678."))
        make_newcomers(rt)
        send(rt, FEW)
        told = problem(rt)
        assert told is not None
        assert "+49" not in told
        rename(rt)
        send(rt, FEW, times=2)
        assert_same(rt, there, FEW)


def test_a_crash_between_any_two_steps_leaves_no_trace(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    for point, passed in (("BQ1", 1), ("BQ2", 1), ("BQ3", 1), ("BQ3", 2)):
        make_newcomers(rt)
        failpoints.arm(f"{point}:raise:{passed}")
        with pytest.raises(FailpointError):
            send(rt, FEW)
        failpoints.arm("")
        free(rt)
        rename(rt)
        send(rt, FEW, times=2)
        assert_same(rt, there, FEW)


def test_two_senders_at_once_do_each_piece_once(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    there.kept.polls = 2
    threads = []
    for _ in range(3):
        threads.append(
            threading.Thread(target=working.go_on, args=(rt, lambda: False), kwargs={"is_asked": True, "tables": FEW})
        )
        threads[-1].start()
        there.wait_for("upload" if len(threads) == 1 else f"GET {JOBS}")
        free(rt)  # and the next takes over, while the one before goes on
    for thread in threads:
        thread.join()
    rename(rt)
    send(rt, FEW, times=2)
    assert_same(rt, there, FEW)


def test_a_sender_that_slept_overwrites_nothing_newer(rt: Runtime, there: BigQuery, people: Sequence[int]) -> None:
    held = there.hold(f"POST {JOBS}")
    late = threading.Thread(target=working.go_on, args=(rt, lambda: False), kwargs={"is_asked": True, "tables": FEW})
    late.start()
    assert held.reached.wait(60), "it is about to merge"
    free(rt)
    there.order(f"GET {JOBS}", status=404, reason="notFound", message="Not found: Job")  # so the next begins anew
    send(rt, FEW)
    rename(rt)
    send(rt, FEW)
    held.go_on.set()
    late.join()
    assert_same(rt, there, FEW)
