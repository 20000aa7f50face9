"""Rows that were kept out, put right in the page: only those are checked again, and taken in if the others are in."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import psycopg
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.language import _, translated
from bot.models.imports import ImportRow, ImportRun
from bot.models.words import ImportState, RowVerdict
from broadcasts.imports import chunk, erased, keeping, staging, steps, verdicts
from broadcasts.imports.imports import ImportRefusedError, locked
from broadcasts.imports.reading import table
from broadcasts.imports.reading.reader import Record
from broadcasts.imports.reading.rows import Rejected, Wanted
from broadcasts.imports.staging import Job
from broadcasts.imports.upsert import RacedError

PAGE = 100


def rows(
    session: Session, run_id: int, after: int = 0, kind: str | None = None, *, limit: int = PAGE
) -> Sequence[ImportRow]:
    """Rows that were kept out, in the file's order, of one kind of problem or of all."""
    found = select(ImportRow).where(
        ImportRow.import_id == run_id, ImportRow.verdict == RowVerdict.FAILED, ImportRow.row > after
    )
    if kind is not None:
        found = found.where(ImportRow.problem_kind == kind)
    return session.scalars(found.order_by(ImportRow.row).limit(limit)).all()


def recheck(session: Session, run_id: int, edited: Mapping[int, Sequence[str]]) -> dict[int, str | None]:
    """Judge rows anew by these cells: what is still wrong with each, or None. A row that is right already is left out.

    What somebody puts right by hand after the end counts as newer than the rest of the list.
    """
    run = locked(session, run_id)
    if run.state not in {ImportState.READY, ImportState.FINISHED}:
        raise ImportRefusedError(
            _(
                "The list is %(state)s: rows can be put right when it is ready, or when it has been taken in.",
                state=translated(run.state),
            )
        )
    keeping.check(session, run_id)
    failed = select(ImportRow.row).where(ImportRow.import_id == run_id, ImportRow.verdict == RowVerdict.FAILED)
    there = set(session.scalars(failed.where(ImportRow.row.in_(edited))))
    records = [Record(row, list(cells)) for row, cells in sorted(edited.items()) if row in there]
    with table.opened(lambda: nullcontext(session), run) as opened:
        job = Job.of(run, opened.headers)
        reader = table.reader(run, opened)
        judged = erased.keep_out(session, run.environment, [reader.read(record) for record in records])
    take = _stage if run.state == ImportState.READY else _take_in
    try:
        wrong = take(session, run, job, judged)
    except (RacedError, IntegrityError, psycopg.IntegrityError) as error:
        raise ImportRefusedError(_("Somebody else changed the same people at that moment: try again.")) from error
    session.expire_all()
    return {record.row: wrong.get(record.row) for record in records}


def _stage(session: Session, run: ImportRun, job: Job, judged: Sequence[Wanted | Rejected]) -> dict[int, str]:
    """Before anybody is changed: the rows join the others, and are compared with them and with who is known."""
    staging.replace(session, job, judged)
    again = [row.row for row in judged]
    verdicts.judge(session, job, again)
    steps.fetch_cells(lambda: nullcontext(session), run)
    verdicts.count(session, run.id)
    found = select(ImportRow.row, ImportRow.comment).where(
        ImportRow.import_id == run.id, ImportRow.row.in_(again), ImportRow.verdict == RowVerdict.FAILED
    )
    return {row: comment or "" for row, comment in session.execute(found)}


def _take_in(session: Session, run: ImportRun, job: Job, judged: Sequence[Wanted | Rejected]) -> dict[int, str]:
    """After the end: what is right is taken in at once, and the counts move."""
    wanted = [row for row in judged if isinstance(row, Wanted)]
    counts, kept_out = chunk.take(session, job, wanted)
    rejected = [*(row for row in judged if isinstance(row, Rejected)), *kept_out]
    staging.replace(session, job, rejected)
    wrong = {row.row: row.comment for row in rejected}
    healed = [row.row for row in wanted if row.row not in wrong]
    session.execute(delete(ImportRow).where(ImportRow.import_id == run.id, ImportRow.row.in_(healed)))
    chunk.move(session, run.id, {**counts, "failed": -len(healed)})
    return wrong
