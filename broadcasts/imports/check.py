"""The look at a list before anybody is changed: each row judged and staged, then all compared with who is known."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

from sqlalchemy import func, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.models.imports import ImportRun
from bot.models.words import ImportState, PropertyType
from bot.people import properties
from bot.runtime import Runtime
from broadcasts.imports import erased, staging, steps, verdicts
from broadcasts.imports.files import local_copy
from broadcasts.imports.reading import findings, table
from broadcasts.imports.reading.dialects import DIALECTS
from broadcasts.imports.reading.quick import Ready
from broadcasts.imports.reading.reader import XLSX, Record, Shape, left_out, shape_of
from broadcasts.imports.reading.rows import Rejected, Wanted
from broadcasts.imports.staging import Job

Judge = Callable[[Record], Ready | Wanted | Rejected]

JUDGING_LEASE_S = 900
"""Comparing a million rows takes longer than a chunk."""


@dataclass(slots=True)
class Chunk:
    """Rows as they were judged, and how many more there are above the limit."""

    rows: list[Ready | Wanted | Rejected] = field(default_factory=list)
    excess: int = 0
    characters: int = 0

    @property
    def records(self) -> int:
        return len(self.rows) + self.excess


def go_on(rt: Runtime, run: ImportRun, is_over: Callable[[], bool]) -> None:
    """Read on where the last committed chunk ended, until the end of the file or `is_over`."""
    with closing(local_copy(rt.transaction, run.file_id)) as file:
        if not run.encoding:
            _find_shape(rt, run, file)
        with table.opened(rt.transaction, run, lambda *_: _again(file)) as opened:
            job = Job.of(run, opened.headers)
            if not _read_on(rt, run, job, opened, is_over):
                steps.let_go(rt, run.id)
                return
    _finish(rt, run, job, opened.properties)


def _read_on(rt: Runtime, run: ImportRun, job: Job, opened: table.Table, is_over: Callable[[], bool]) -> bool:
    """Whether the end was reached. While the database takes a chunk in, the next is read; nothing else asks it then."""
    limit = DIALECTS[run.dialect].limit(rt.settings)
    saved: Future[None] | None = None
    with ThreadPoolExecutor(1) as saver:
        for chunk in _chunks(opened.records, table.judge(run, opened), run.judged, limit):
            if saved is not None:
                saved.result()
                if is_over():  # the chunk in hand is read again by whoever goes on
                    return False
            save = partial(_stage, job=job, judged=run.judged, chunk=chunk)
            saved = saver.submit(steps.step, rt, run.id, save)
            run.judged += chunk.records
        if saved is not None:
            saved.result()
    return True


def _again(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    return file


def _find_shape(rt: Runtime, run: ImportRun, file: IO[bytes]) -> None:
    """Encoding and delimiter need a look at all of the file; its lines say about how many rows will come."""
    shape = shape_of(lambda: nullcontext(_again(file)))
    lines = sum(data.count(b"\n") for data in iter(partial(_again(file).read, 1 << 20), b""))
    run.encoding, run.delimiter, run.format = shape.encoding, shape.delimiter, shape.format
    run.findings = _findings(rt, run, shape, file)
    values = {name: getattr(run, name) for name in ("encoding", "delimiter", "format", "findings")}
    values["total"] = None if shape.format == XLSX else max(lines - 1, 0)
    with rt.transaction() as session:
        session.execute(update(ImportRun).where(ImportRun.id == run.id).values(values))


def _findings(rt: Runtime, run: ImportRun, shape: Shape, file: IO[bytes]) -> dict[str, Any]:
    """A first look at the header and some rows."""
    dialect = DIALECTS[run.dialect]
    with rt.transaction() as session:
        known = properties.custom(session, run.environment)
    found = findings.survey(table.read(_again(file), shape, dialect, known), shape, dialect, run.country, known)
    found["notes"] += findings.sheet_notes(left_out(_again(file), shape))
    return found


def _chunks(records: Iterator[Record], judge: Judge, judged: int, limit: int) -> Iterator[Chunk]:
    """Chunks of what comes after the first `judged` records."""
    chunk = Chunk()
    for place, record in enumerate(records, 1):
        if place <= judged:
            continue
        if place > limit:
            chunk.excess += 1
        else:
            chunk.rows.append(judge(record))
            chunk.characters += sum(map(len, record.cells))
        if chunk.records >= steps.CHUNK_ROWS or chunk.characters >= steps.CHUNK_CHARACTERS:
            yield chunk
            chunk = Chunk()
    if chunk.records:
        yield chunk


def _stage(session: Session, job: Job, judged: int, chunk: Chunk) -> None:
    rows = erased.keep_out(session, job.environment, chunk.rows)
    failing = sum(isinstance(row, Rejected) for row in rows)
    staging.hold(
        session,
        job.run_id,
        ImportState.CHECKING,
        "judged",
        judged,
        judged=judged + chunk.records,
        excess=ImportRun.excess + chunk.excess,
        will_fail=ImportRun.will_fail + failing,
    )
    staging.put(session, job, rows)


def _finish(rt: Runtime, run: ImportRun, job: Job, given: Mapping[str, PropertyType]) -> None:
    with suppress(OperationalError), rt.transaction() as session:
        verdicts.analyze(session, run.judged)
    with rt.transaction() as session:
        staging.hold(session, run.id, ImportState.CHECKING, "judged", run.judged, lease_s=JUDGING_LEASE_S)
    steps.step(rt, run.id, partial(verdicts.judge, job=job))
    steps.fetch_cells(rt.transaction, run)
    steps.step(rt, run.id, partial(_end, run=run, given=given))


def _end(session: Session, run: ImportRun, given: Mapping[str, PropertyType]) -> None:
    """Ready to be looked at, or, where nobody wants to look first, to be taken in."""
    state = ImportState.READY
    if run.confirmed_at is not None:
        state = ImportState.WAITING
        properties.declare(session, run.environment, given, run.created_by_operator_id)
    steps.end(session, run.id, {ImportState.CHECKING}, state=state, total=run.judged, checked_at=func.now(), next_row=0)
    verdicts.count(session, run.id)
