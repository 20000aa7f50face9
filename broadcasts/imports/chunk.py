"""One chunk of a list in one transaction: people, members, comments, counts and cursor, all or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from bot.models.imports import ImportRun, RejectedRow
from bot.models.segment import Segment
from bot.models.words import ImportState
from broadcasts.imports import upsert
from broadcasts.imports.roster import ConflictError, Outcome
from broadcasts.imports.rows import LONGEST_CELL, Rejected, Wanted

LEASE_S = 60


class LostImportError(RuntimeError):
    """Another worker has gone on with this import, or it was stopped: leave it alone."""


@dataclass(frozen=True, slots=True)
class Job:
    """What stays the same from the first chunk of an import to the last."""

    run_id: int
    environment: str
    segment_id: int
    row_limit: int


def take_in(session: Session, job: Job, next_row: int, rows: Sequence[Wanted | Rejected]) -> None:
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


def _hold(session: Session, job: Job, next_row: int, then: int) -> None:
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
