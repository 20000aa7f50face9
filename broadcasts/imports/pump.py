"""A list on its way into a segment: who works on it, until when, and from which row on."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import structlog
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from bot import failpoints
from bot.models.imports import ImportRun
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts.imports.chunk import LEASE_S, Job, LostImportError, take_in
from broadcasts.imports.dialects import DIALECTS, Dialect, HeaderError
from broadcasts.imports.files import open_file
from broadcasts.imports.imports import read_table
from broadcasts.imports.reader import BrokenFileError, Record, Shape, shape_of
from broadcasts.imports.rows import Rejected, RowReader, Wanted
from broadcasts.imports.upsert import RacedError

log = structlog.get_logger()

CHUNK_ROWS = 2000
CHUNK_CHARACTERS = 4_000_000
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
    except (DataError, IntegrityError) as error:  # again and again: somebody has to look at it
        log.error("import.stuck", import_id=run_id, error=type(error).__name__)  # noqa: TRY400 (its text holds values)
        with rt.transaction() as session:
            row = session.get_one(ImportRun, run_id).next_row
            _end(session, run_id, ImportState.FAILED, f"The rows from {row:,} on could not be stored; see the log.")
    except LostImportError:
        log.info("import.lost", import_id=run_id)
    return True


def _go_on(rt: Runtime, run_id: int, is_over: Callable[[], bool]) -> None:
    with rt.transaction() as session:
        run = session.get_one(ImportRun, run_id)
    dialect = DIALECTS[run.dialect]
    shape = _shape(rt, run, dialect)
    job = Job(run.id, run.environment, run.segment_id, min(dialect.row_limit, rt.settings.import_max_rows))
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
    chunk: list[Record] = []
    size = 0
    for place, record in enumerate(table, 1):
        if record.row < next_row:
            continue
        chunk.append(record)
        size += sum(map(len, record.cells))
        if len(chunk) >= CHUNK_ROWS or size >= CHUNK_CHARACTERS:
            yield place - len(chunk) + 1, chunk
            chunk, size = [], 0
    if chunk:
        yield place - len(chunk) + 1, chunk


def _judge(reader: RowReader, record: Record, place: int, job: Job) -> Wanted | Rejected:
    if place > job.row_limit:
        comment = f"Only the first {job.row_limit:,} rows of a file are taken in: upload this row in another file."
        return Rejected(record.row, record.cells, comment)
    return reader.read(record)


def _with_retries(rt: Runtime, job: Job, next_row: int, rows: Sequence[Wanted | Rejected]) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            with rt.transaction() as session:
                take_in(session, job, next_row, rows)
                failpoints.hit("IM1")
        except (RacedError, IntegrityError, OperationalError) as error:
            if attempt == TRIES:
                raise
            log.info("import.again", import_id=job.run_id, row=next_row, error=type(error).__name__)
            time.sleep(0.1 * attempt)
        else:
            failpoints.hit("IM2")
            return


def _let_go(rt: Runtime, run_id: int) -> None:
    with rt.transaction() as session:
        session.execute(update(ImportRun).where(ImportRun.id == run_id).values(lease_until=None))


def _end(session: Session, run_id: int, state: ImportState, problem: str | None = None) -> None:
    session.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id, ImportRun.state == ImportState.RUNNING)
        .values(state=state, problem=problem, finished_at=func.now(), lease_until=None)
    )
