"""One chunk of a list in one transaction: people, members, comments, counts and cursor, all or nothing."""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.models.imports import ImportRun
from bot.models.segment import Segment
from bot.models.words import ImportState
from broadcasts.imports import erased, journal, staging, upsert
from broadcasts.imports.reading.problems import ProblemKind
from broadcasts.imports.reading.rows import Rejected, Wanted
from broadcasts.imports.roster import ConflictError, Outcome
from broadcasts.imports.staging import Job


def take_in(session: Session, job: Job, next_row: int, rows: Sequence[Wanted]) -> None:
    """One chunk, all or nothing; raises LostImportError unless the import still stands at `next_row`."""
    then = rows[-1].row + 1
    staging.hold(session, job.run_id, ImportState.RUNNING, "next_row", next_row, next_row=then)
    counts, kept_out = take(session, job, rows)
    if kept_out:
        staging.fail(session, job.run_id, kept_out)
    staging.clear(session, job.run_id, next_row, then - 1)
    move(session, job.run_id, {**counts, "failed": len(kept_out)})


def take(session: Session, job: Job, rows: Sequence[Wanted]) -> tuple[dict[str, int], list[Rejected]]:
    """Make people and members of the rows; how many of each outcome, and those that could not be taken."""
    lock(session, job)
    judged = erased.keep_out(session, job.environment, rows)
    wanted = [row for row in judged if isinstance(row, Wanted)]
    kept_out = [row for row in judged if isinstance(row, Rejected)]
    counts = dict.fromkeys((outcome.value for outcome in Outcome), 0)
    roster = upsert.load(session, job.environment, wanted)
    for row in wanted:
        try:
            counts[roster.take(row)] += 1
        except ConflictError as error:
            kept_out.append(Rejected(row.row, row.cells, str(error), kind=ProblemKind.CONFLICT))
    created = upsert.save(session, job.environment, roster)
    journal.note(session, job, roster.members, created)
    return counts, kept_out


def lock(session: Session, job: Job) -> None:
    """Wait for other imports and for a launch that freezes the segment."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"import:{job.environment}"))))
    session.execute(select(Segment.id).where(Segment.id == job.segment_id).with_for_update(read=True, key_share=True))


def move(session: Session, run_id: int, by: dict[str, int]) -> None:
    """Add to the counts of a run."""
    moved = {column: getattr(ImportRun, column) + count for column, count in by.items()}
    session.execute(update(ImportRun).where(ImportRun.id == run_id).values(moved))
