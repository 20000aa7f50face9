"""Whatever interrupts an import, its end is the same; and what is kept out is always told."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update

from bot import failpoints
from bot.failpoints import FailpointError
from bot.models.imports import ImportRow, ImportRun
from bot.models.person import Address, Person
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts import jobs
from broadcasts.imports import files, imports, pump, steps
from broadcasts.imports.chunk import Chunk
from broadcasts.imports.imports import ImportRefusedError
from broadcasts.imports.staging import Job, LostImportError
from broadcasts.imports.turns import Turn
from tests import factories
from tests.broadcasts import lists
from tests.harness.children import wait_until
from tests.harness.runtimes import SECRET_KEY

HEADER = "user_id,phone_number,city\n"


def make_list(rows: int, bad: int, seed: int = 7) -> str:
    """Some people twice, some rows bad, all in a random order that the seed fixes."""
    draw = random.Random(seed)
    lines = [f"u{n},+2010{10_000_000 + n:08d},c{draw.randrange(5)}" for n in range(rows - bad)]
    lines += [f"bad {n},+2012{10_000_000 + n:08d}," for n in range(bad)]
    for _ in range(rows // 20):
        lines[draw.randrange(rows - bad)] = lines[draw.randrange(rows - bad)]
    draw.shuffle(lines)
    return HEADER + "\n".join(lines) + "\n"


def everything(rt: Runtime) -> tuple[Any, ...]:
    """People, members and kept-out rows, without what may differ: ids and times."""
    with rt.transaction() as session:
        kept_out = session.execute(select(ImportRow.row, ImportRow.cells, ImportRow.comment).order_by(ImportRow.row))
        rejected = [tuple(row) for row in kept_out]
    return lists.everybody(rt), lists.members(rt), rejected


def forget_all(rt: Runtime) -> None:
    with rt.transaction() as session:
        session.execute(text("TRUNCATE import_row, person, import_run, segment, segment_member CASCADE"))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "CHUNK_ROWS", 20)


@pytest.fixture(autouse=True)
def _no_failpoint() -> Iterator[None]:
    yield
    failpoints.arm("")
    failpoints._passed.clear()


def die_at(rt: Runtime, plan: str) -> None:
    """A worker dies at the failpoint, and its lease runs out."""
    failpoints._passed.clear()
    failpoints.arm(plan)
    with pytest.raises(FailpointError):
        lists.run_worker(rt)
    failpoints.arm("")
    with rt.transaction() as session:
        session.execute(update(ImportRun).values(lease_until=func.now() - text("interval '1 second'")))


def test_an_import_that_dies_ten_times_ends_as_one_that_did_not(rt: Runtime, small_chunks: None) -> None:
    content = make_list(400, bad=20)
    lists.take_in(rt, content)
    expected = everything(rt)
    forget_all(rt)

    run_id = lists.upload(rt, content)
    for number, name in zip([1, 2, 1, 3, 9, 12, 1, 4, 1, 2], ["IM1", "IM2"] * 5, strict=True):
        die_at(rt, f"{name}:raise:{number}")
    lists.run_worker(rt)

    run = lists.reload(rt, run_id)
    assert everything(rt) == expected
    assert run.state == ImportState.FINISHED
    assert lists.adds_up(run)
    assert run.total == 400


def test_chunks_that_are_worked_on_side_by_side_end_as_one_after_the_other(
    live_rt: Runtime, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = make_list(400, bad=20)
    run = lists.take_in(live_rt, content)
    side_by_side = everything(live_rt), lists.counts(run)
    forget_all(live_rt)

    monkeypatch.setattr(steps, "LANES", 1)
    again = lists.take_in(live_rt, content)

    assert (everything(live_rt), lists.counts(again)) == side_by_side
    assert lists.adds_up(run)


def test_an_import_that_dies_with_two_chunks_in_hand_goes_on_after_the_last_that_was_committed(
    live_rt: Runtime, small_chunks: None
) -> None:
    content = make_list(400, bad=20)
    lists.take_in(live_rt, content)
    expected = everything(live_rt)
    forget_all(live_rt)

    run_id = lists.upload(live_rt, content)
    for plan in ("IM1:raise:25", "IM2:raise:3", "IM1:raise:2", "IM2:raise:4"):
        die_at(live_rt, plan)
    lists.run_worker(live_rt)

    assert everything(live_rt) == expected
    assert lists.adds_up(lists.reload(live_rt, run_id))


def test_who_becomes_known_after_the_check_is_changed_and_not_made_again(live_rt: Runtime, small_chunks: None) -> None:
    """Of three chunks the one in the middle is taken row by row, and the one behind it waits for that."""
    rows = "".join(f"u{n},+2010{10_000_000 + n:08d},Giza\n" for n in range(60))
    run = lists.check(live_rt, HEADER + rows)
    assert lists.expected(run) == (60, 0, 0, 0, 0, 0)
    with live_rt.transaction() as session:
        factories.make_person(session, distinct_id="stranger", distinct_id_given=False, phone="+201010000030")
        factories.make_person(session, distinct_id="u31", phone="+201099999999")
        factories.make_person(session, distinct_id="somebody", phone="+201010000032")
        imports.confirm(session, run.id, None)
    lists.run_worker(live_rt)

    assert lists.counts(lists.reload(live_rt, run.id)) == (57, 2, 0, 1)
    people = lists.everybody(live_rt)
    assert people.keys() == {"somebody", *(f"u{n}" for n in range(60) if n != 32)}
    assert people["u31"][0] == "+201010000031"


WORKER = """
import os
from bot import runtime, settings
from broadcasts.imports import pump
rt = runtime.build(settings.load(os.environ), name="bulk")
while pump.work(rt, lambda: False):
    pass
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("rows", [30_000, 100_000])
def test_a_long_list_killed_ten_times_ends_as_that_of_a_worker_that_lived(live_rt: Runtime, rows: int) -> None:
    content = make_list(rows, bad=rows // 50)
    began = time.monotonic()
    lists.take_in(live_rt, content)
    seconds = time.monotonic() - began
    expected = everything(live_rt)
    forget_all(live_rt)

    run_id = lists.upload(live_rt, content)
    told = {"DATABASE_URL": live_rt.settings.database_url, "REDIS_URL": live_rt.settings.redis_url}
    environment = {**os.environ, **told, "BACKCHAT_SECRET_KEY": SECRET_KEY}
    draw = random.Random(84)
    killed = 0
    while killed < 10:
        worker = subprocess.Popen([sys.executable, "-c", WORKER], env=environment)
        time.sleep(1 + draw.uniform(0, seconds / 8))
        assert worker.poll() is None, "it was through before it was killed ten times"
        worker.kill()
        worker.wait()
        killed += 1
        with live_rt.transaction() as session:
            session.execute(update(ImportRun).values(lease_until=func.now() - text("interval '1 second'")))

    def is_finished() -> bool:
        lists.run_worker(live_rt)
        return lists.reload(live_rt, run_id).state == ImportState.FINISHED

    # PostgreSQL goes on with what the last one asked for, and meanwhile there is no import that could be claimed.
    wait_until(is_finished, "the import to be taken up and finished")
    assert lists.adds_up(lists.reload(live_rt, run_id))
    assert everything(live_rt) == expected


def test_of_1000_people_20_bad_ones_are_kept_out_and_told(rt: Runtime) -> None:
    run = lists.take_in(rt, make_list(1000, bad=20))

    assert run.failed == 20
    assert run.created + run.updated + run.unchanged + run.superseded == 980
    assert len(lists.members(rt)) == run.created
    assert all("user_id bad" in comment for comment in lists.comments(rt, run.id))


@pytest.mark.slow
def test_a_list_of_a_hundred_thousand_is_taken_in_whole(live_rt: Runtime) -> None:
    lines = [f"u{n},+2010{n:08d},c{n % 5}" if n % 1000 else f"u{n},12," for n in range(100_000)]
    run = lists.take_in(live_rt, HEADER + "\n".join(lines) + "\n")

    assert run.state == ImportState.FINISHED
    assert lists.counts(run) == (99_900, 0, 0, 100)
    assert len(lists.members(live_rt)) == 99_900


def test_another_worker_leaves_an_import_alone_while_its_lease_lasts(rt: Runtime, small_chunks: None) -> None:
    lists.upload(rt, make_list(100, bad=0))
    failpoints.arm("IM2:raise:1")
    with pytest.raises(FailpointError):
        lists.run_worker(rt)
    failpoints.arm("")

    assert pump.work(rt, lambda: False) is False
    with rt.transaction() as session:
        assert pump.is_due(session) is False


def test_a_worker_that_slept_too_long_changes_nothing(rt: Runtime, small_chunks: None) -> None:
    run_id = lists.upload(rt, make_list(100, bad=0))
    lists.run_worker(rt)
    before = everything(rt), lists.counts(lists.reload(rt, run_id))
    with rt.transaction() as session:
        session.execute(update(ImportRun).values(state=ImportState.RUNNING))
        segment_id = session.get_one(ImportRun, run_id).segment_id

        session.execute(
            text("INSERT INTO import_row (import_id, row, verdict, distinct_id, phone, wanted) "
                 "VALUES (:id, 2, 'new', 'late', '+201012345678', '{\"country\": \"EG\"}')"),
            {"id": run_id},
        )  # fmt: skip
    chunk = Chunk(Job(run_id, "live", segment_id), 0, 21, Turn())
    for _ in range(2):  # whether it is the first try or not
        with pytest.raises(LostImportError), rt.transaction() as session:
            chunk(session)
    with rt.transaction() as session:
        session.execute(delete(ImportRow).where(ImportRow.row == 2))

    assert (everything(rt), lists.counts(lists.reload(rt, run_id))) == before


def test_a_pump_whose_time_is_up_lets_the_next_one_go_on(rt: Runtime, small_chunks: None) -> None:
    run_id = lists.upload(rt, make_list(100, bad=0))
    runs = 0
    while pump.work(rt, lambda: True):
        runs += 1

    assert runs == 5 + 5 + 1  # the chunks of both phases, and the look that finds the end
    assert lists.reload(rt, run_id).state == ImportState.FINISHED
    assert lists.adds_up(lists.reload(rt, run_id))


def test_wide_rows_make_smaller_chunks(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "CHUNK_CHARACTERS", 100)
    lists.upload(rt, make_list(30, bad=0))
    failpoints.arm("IM2:raise:5")
    with pytest.raises(FailpointError):
        lists.run_worker(rt)
    failpoints.arm("")

    with rt.transaction() as session:
        assert session.scalars(select(ImportRun.judged)).one() == 5 * 6  # six rows have a hundred characters


def test_a_file_above_the_limit_is_refused_with_the_limit(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST_BYTES", 2 * 1024 * 1024)
    with pytest.raises(ImportRefusedError, match="larger than 2 MiB: split it"):
        lists.upload(rt, HEADER + "a,+201012345678,\n" * 200_000)


def test_a_file_that_breaks_off_changes_nobody(rt: Runtime, small_chunks: None) -> None:
    run = lists.take_in(rt, make_list(100, bad=0) + 'zed,"+201012345678,\n')

    assert run.state == ImportState.FAILED
    assert run.problem == 'Row 102: a quote (") is opened and never closed. Close it, or delete it.'
    assert lists.everybody(rt) == {}


def test_rows_the_database_will_not_have_end_the_import_with_the_place(
    rt: Runtime, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "TRIES", 1)
    with rt.transaction() as session:
        session.execute(text("ALTER TABLE person ADD CHECK (distinct_id <> 'u30')"))
    rows = "".join(f"u{n},+2010{10_000_000 + n:08d},\n" for n in range(50))
    run = lists.take_in(rt, HEADER + rows)

    assert (run.state, run.problem) == (ImportState.FAILED, "The rows from 22 on could not be stored; see the log.")
    assert len(lists.members(rt)) == 20


def test_rows_above_the_limit_are_kept_out_with_a_comment(rt: Runtime) -> None:
    header = lists.METAHUMANS_HEADER
    rows = "".join(f"u{n},91987654{n:04d},,,,,\n" for n in range(1003))
    run = lists.take_in(rt, f"{header}\n{rows}", dialect="metahumans", country="IN")

    assert (run.total, run.created, run.failed, run.excess) == (1003, 1000, 0, 3)
    with rt.transaction() as session:
        listed = imports.one(session, run.id)
    assert listed
    told = b"".join(imports.comments(rt.transaction, listed)).decode("utf-8-sig").splitlines()
    assert told[1] == (
        "u1000,919876541000,,,,,,"
        '"Row 1002: Only the first 1,000 rows of a file are taken in: upload this row in another file."'
    )
    assert len(told) == 4
    rest = b"".join(imports.rest(rt.transaction, listed))
    again = lists.take_in(rt, rest, dialect="metahumans", country="IN")
    assert lists.counts(again) == (3, 0, 0, 0)


def test_two_lists_at_once_about_the_same_people_end_in_their_union(live_rt: Runtime, small_chunks: None) -> None:
    first = lists.upload(live_rt, make_list(300, bad=0, seed=1), segment_name="one")
    second = lists.upload(live_rt, make_list(300, bad=0, seed=2), segment_name="two")
    workers = [threading.Thread(target=lists.run_worker, args=[live_rt]) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    runs = [lists.reload(live_rt, run_id) for run_id in (first, second)]
    assert [run.state for run in runs] == [ImportState.FINISHED] * 2
    assert all(lists.adds_up(run) for run in runs)
    with live_rt.transaction() as session:
        people = session.scalar(select(func.count()).select_from(Person))
        addresses = session.scalar(select(func.count()).select_from(Address))
    assert people == addresses == sum(run.created for run in runs)


def test_somebody_who_writes_in_while_the_list_is_taken_in_is_one_person(live_rt: Runtime) -> None:
    """The webhook has stored the number, uncommitted, when the import looks; the import must see it in the end."""
    lists.upload(live_rt, f"{HEADER}ann,+201012345678,Cairo\n")
    with live_rt.sessions() as writing:
        factories.make_person(writing, distinct_id="stranger", distinct_id_given=False, phone="+201012345678")
        worker = threading.Thread(target=lists.run_worker, args=[live_rt])
        worker.start()
        time.sleep(1)
        writing.commit()
    worker.join()

    assert list(lists.everybody(live_rt)) == ["ann"]
    assert lists.counts(lists.reload(live_rt, 1)) == (0, 1, 0, 0)


def test_a_sweep_rings_for_a_list_that_no_worker_knows_of(rt: Runtime) -> None:
    lists.upload(rt, make_list(10, bad=0))
    assert not rt.redis.keys("backchat:rung:*")

    jobs.sweep(rt)

    assert rt.redis.keys("backchat:rung:*") == [b"backchat:rung:bulk"]


def test_kept_out_rows_come_back_safe_for_spreadsheets_and_can_be_uploaded_again(rt: Runtime) -> None:
    lines = [
        '=cmd(),+201012345678,"=1+1"',
        "-a,+20101,@b",
        "ok,2010,+201012345678",
        '"\ttab",x,\uff1dz',
        "fine,+201012345678,",
    ]
    run = lists.take_in(rt, HEADER + "\n".join(lines) + "\n")
    with rt.transaction() as session:
        listed = imports.one(session, run.id)
    assert listed
    data = b"".join(imports.comments(rt.transaction, listed))
    text_ = data.decode("utf-8-sig")

    assert run.failed == 4
    cells = [line.split(",")[:3] for line in text_.splitlines()[1:]]
    assert cells == [
        ["'=cmd()", "+201012345678", "'=1+1"],
        ["'-a", "+20101", "'@b"],
        ["ok", "2010", "+201012345678"],
        ["'\ttab", "x", "'\uff1dz"],
    ]
    again = lists.take_in(rt, text_, segment_name="again")
    with rt.transaction() as session:
        before, after = (imports.rejected(session, run_id) for run_id in (run.id, again.id))
        assert [row.cells and row.cells[:3] for row in after] == [row.cells for row in before]
    assert lists.everybody(rt)["fine"][0] == "+201012345678"
