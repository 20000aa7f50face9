"""Rows that were checked become people, chunk by chunk, in the order of the file."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy import func

from bot.models.imports import ImportRun
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts.imports import staging, steps
from broadcasts.imports.chunk import Chunk
from broadcasts.imports.reading import table
from broadcasts.imports.staging import Job
from broadcasts.imports.turns import Turn


def go_on(rt: Runtime, run: ImportRun, is_over: Callable[[], bool]) -> None:
    """Take the next chunks in until there are no more, or `is_over`; in Python one, while PostgreSQL is at another."""
    with table.opened(rt.transaction, run) as opened:
        job = Job.of(run, opened.headers)
    in_hand: deque[Future[None]] = deque()
    with ThreadPoolExecutor(steps.LANES) as lanes:
        following = _next(rt, run, job, None)
        while chunk := following:
            following = _next(rt, run, job, chunk.turn)
            in_hand.append(lanes.submit(_take_in, rt, run.id, chunk))
            if len(in_hand) == steps.LANES:
                in_hand.popleft().result()
                if is_over():
                    _finish(in_hand)
                    steps.let_go(rt, run.id)
                    return
        _finish(in_hand)
    steps.fetch_cells(rt.transaction, run)
    with rt.transaction() as session:
        steps.end(session, run.id, {ImportState.RUNNING}, state=ImportState.FINISHED, finished_at=func.now())
        staging.clear(session, run.id)


def _next(rt: Runtime, run: ImportRun, job: Job, before: Turn | None) -> Chunk | None:
    """The chunk behind the one before it."""
    with rt.transaction() as session:
        last = staging.end_of_chunk(session, run.id, run.next_row, steps.CHUNK_ROWS)
    if last is None:
        return None
    chunk = Chunk(job, run.next_row, last, Turn(before))
    run.next_row = last + 1
    return chunk


def _take_in(rt: Runtime, run_id: int, chunk: Chunk) -> None:
    with chunk.turn.taken():
        steps.step(rt, run_id, chunk)


def _finish(in_hand: deque[Future[None]]) -> None:
    while in_hand:
        in_hand.popleft().result()
