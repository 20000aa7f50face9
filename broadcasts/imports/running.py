"""Rows that were checked become people, chunk by chunk, in the order of the file."""

from collections.abc import Callable
from functools import partial

from sqlalchemy import func

from bot.models.imports import ImportRun
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts.imports import chunk, staging, steps
from broadcasts.imports.reading import table
from broadcasts.imports.staging import Job


def go_on(rt: Runtime, run: ImportRun, is_over: Callable[[], bool]) -> None:
    """Take the next chunks in until there are no more, or `is_over`."""
    with table.opened(rt.transaction, run) as opened:
        job = Job.of(run, opened.headers)
    while True:
        with rt.transaction() as session:
            rows = staging.take(session, job, run.next_row, steps.CHUNK_ROWS, steps.CHUNK_CHARACTERS)
        if not rows:
            break
        steps.step(rt, run.id, partial(chunk.take_in, job=job, next_row=run.next_row, rows=rows))
        run.next_row = rows[-1].row + 1
        if is_over():
            steps.let_go(rt, run.id)
            return
    steps.fetch_cells(rt.transaction, run)
    with rt.transaction() as session:
        steps.end(session, run.id, {ImportState.RUNNING}, state=ImportState.FINISHED, finished_at=func.now())
        staging.clear(session, run.id)
