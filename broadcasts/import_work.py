"""A list on its way into a segment: every chunk is one transaction that moves people, comments, counts and cursor."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import structlog
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from bot import failpoints
from bot.models.segment import ImportRun, RejectedRow, Segment
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts import upsert
from broadcasts.dialects import DIALECTS, Dialect, HeaderError
from broadcasts.files import open_file
from broadcasts.imports import read_table
from broadcasts.reader import BrokenFileError, Record, Shape, shape_of
from broadcasts.roster import ConflictError, Outcome
from broadcasts.rows import LONGEST_CELL, Rejected, RowReader, Wanted

log = structlog.get_logger()

CHUNK_ROWS = 2000
LEASE_S = 60
TRIES = 5

_CLAIM = text("""
    UPDATE import_run
       SET state = 'running', started_at = coalesce(started_at, now()),
           lease_until = now() + make_interval(secs => :lease_s)
     WHERE id = (
        SELECT id FROM import_run
         WHERE state = 'waiting' OR (state = 'running' AND (lease_until IS NULL OR lease_until < now()))
         ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id
""")


class LostImportError(RuntimeError):
    """Another worker has gone on with this import, or it was stopped: leave it alone."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What stays the same from the first chunk of an import to the last."""

    run_id: int
    environment: str
    segment_id: int
    row_limit: int


def is_due(session: Session) -> bool:
    """Whether an import waits for a worker, or has lost its own."""
    due = (ImportRun.state == ImportState.WAITING) | (
        (ImportRun.state == ImportState.RUNNING)
        & (func.coalesce(ImportRun.lease_until, func.to_timestamp(0)) < func.now())
    )
    return bool(session.scalar(select(select(ImportRun.id).where(due).exists())))


def work(rt: Runtime, is_over: Callable[[], bool]) -> bool:
    """Go on with the oldest import that is due until `is_over`, asked after each chunk; whether there was one."""
    with rt.transaction() as session:
        run_id = session.scalar(_CLAIM, {"lease_s": LEASE_S})
    if run_id is None:
        return False
    try:
        _go_on(rt, run_id, is_over)
    except (BrokenFileError, HeaderError) as error:
        with rt.transaction() as session:
            _end(session, run_id, ImportState.FAILED, str(error))
    except LostImportError:
        log.info("import.lost", import_id=run_id)
    return True


def _go_on(rt: Runtime, run_id: int, is_over: Callable[[], bool]) -> None:
    with rt.transaction() as session:
        run = session.get_one(ImportRun, run_id)
    dialect = DIALECTS[run.dialect]
    shape = _shape(rt, run, dialect)
    job = _Job(run.id, run.environment, run.segment_id, min(dialect.row_limit, rt.settings.import_max_rows))
    with closing(open_file(rt.transaction, run.file_id)) as file:
        _, layout, table = read_table(file, shape, dialect)
        reader = RowReader(dialect, run.country, layout)
        for place, chunk in _chunks(table, run.next_row):
            rows = [_judge(reader, record, place + offset, job) for offset, record in enumerate(chunk)]
            _with_retries(rt, job, run.next_row, rows)
            run.next_row = chunk[-1].row + 1
            if is_over():
                _let_go(rt, run_id)
                return
    with rt.transaction() as session:
        _end(session, run_id, ImportState.FINISHED)


def _shape(rt: Runtime, run: ImportRun, dialect: Dialect) -> Shape:
    """How the file is written; the first time all of it is read, so that a broken file changes nobody."""
    if run.encoding and run.delimiter:
        return Shape(run.encoding, run.delimiter)
    shape = shape_of(lambda: open_file(rt.transaction, run.file_id))
    with closing(open_file(rt.transaction, run.file_id)) as file:
        _, _, table = read_table(file, shape, dialect)
        total = sum(1 for _ in table)
    values = {"encoding": shape.encoding, "delimiter": shape.delimiter, "total": total}
    with rt.transaction() as session:
        session.execute(update(ImportRun).where(ImportRun.id == run.id).values(values))
    return shape


def _chunks(table: Iterator[Record], next_row: int) -> Iterator[tuple[int, list[Record]]]:
    """Chunks from row `next_row` on, each with the place of its first record among all of the file's, from 1."""
    place = 1
    while chunk := list(islice(table, CHUNK_ROWS)):
        left = [record for record in chunk if record.row >= next_row]
        if left:
            yield place + len(chunk) - len(left), left
        place += len(chunk)


def _judge(reader: RowReader, record: Record, place: int, job: _Job) -> Wanted | Rejected:
    if place > job.row_limit:
        comment = f"Only the first {job.row_limit:,} rows of a file are taken in: upload this row in another file."
        return Rejected(record.row, record.cells, comment)
    return reader.read(record)


def _with_retries(rt: Runtime, job: _Job, next_row: int, rows: Sequence[Wanted | Rejected]) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            with rt.transaction() as session:
                take_in(session, job, next_row, rows)
                failpoints.hit("IM1")
        except (upsert.RacedError, IntegrityError, OperationalError) as error:
            if attempt == TRIES:
                raise
            log.info("import.again", import_id=job.run_id, row=next_row, error=type(error).__name__)
            time.sleep(0.1 * attempt)
        else:
            failpoints.hit("IM2")
            return


def take_in(session: Session, job: _Job, next_row: int, rows: Sequence[Wanted | Rejected]) -> None:
    """One chunk, all or nothing; raises LostImportError unless the import still stands at `next_row`."""
    _hold(session, job, next_row, rows[-1].row + 1)
    wanted = [row for row in rows if isinstance(row, Wanted)]
    kept_out = [row for row in rows if isinstance(row, Rejected)]
    counts = dict.fromkeys(Outcome, 0)
    roster = upsert.load(session, job.environment, wanted)
    for row in wanted:
        try:
            counts[roster.take(row)] += 1
        except ConflictError as error:
            kept_out.append(Rejected(row.row, row.cells, str(error)))
    upsert.save(session, job.environment, job.segment_id, roster)
    if kept_out:
        session.execute(insert(RejectedRow), [_as_rejected_row(job.run_id, row) for row in kept_out])
    moved = {outcome.value: getattr(ImportRun, outcome.value) + count for outcome, count in counts.items()}
    moved["failed"] = ImportRun.failed + len(kept_out)
    session.execute(update(ImportRun).where(ImportRun.id == job.run_id).values(moved))


def _hold(session: Session, job: _Job, next_row: int, then: int) -> None:
    """Move the cursor if nobody else did; wait for other imports and for a launch that freezes the segment."""
    held = session.execute(
        update(ImportRun)
        .where(ImportRun.id == job.run_id, ImportRun.state == ImportState.RUNNING, ImportRun.next_row == next_row)
        .values(next_row=then, lease_until=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, LEASE_S))
        .returning(ImportRun.id)
    )
    if held.first() is None:
        raise LostImportError
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"import:{job.environment}"))))
    session.execute(select(Segment.id).where(Segment.id == job.segment_id).with_for_update(read=True, key_share=True))


def _as_rejected_row(run_id: int, row: Rejected) -> dict[str, object]:
    """Bounded, and without NUL, which PostgreSQL cannot hold."""
    cells = [cell[: LONGEST_CELL + 1].replace("\0", "\ufffd") for cell in row.cells[:101]]
    return {"import_id": run_id, "row": row.row, "cells": cells, "comment": row.comment.replace("\0", "\ufffd")}


def _let_go(rt: Runtime, run_id: int) -> None:
    with rt.transaction() as session:
        session.execute(update(ImportRun).where(ImportRun.id == run_id).values(lease_until=None))


def _end(session: Session, run_id: int, state: ImportState, problem: str | None = None) -> None:
    session.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id, ImportRun.state == ImportState.RUNNING)
        .values(state=state, problem=problem, finished_at=func.now(), lease_until=None)
    )
