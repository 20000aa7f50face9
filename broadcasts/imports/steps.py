"""One step of an import: a transaction that is tried again when somebody else was in its way."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import structlog
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from bot import failpoints
from bot.models.imports import ImportRun
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts.imports import failing, staging
from broadcasts.imports.files import Transaction
from broadcasts.imports.reading import table
from broadcasts.imports.reading.reader import Record
from broadcasts.imports.upsert import RacedError

log = structlog.get_logger()

CHUNK_ROWS = 5000
CHUNK_CHARACTERS = 4_000_000
LANES = 2
"""Chunks that are worked on side by side, each on a connection of its own."""
TRIES = 5

_IN_THE_WAY = (RacedError, IntegrityError, OperationalError, psycopg.IntegrityError, psycopg.OperationalError)


def step(rt: Runtime, run_id: int, work: Callable[[Session], Any]) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            with rt.transaction() as session:
                work(session)
                failpoints.hit("IM1")
        except _IN_THE_WAY as error:
            if attempt == TRIES:
                raise
            log.info("import.again", import_id=run_id, error=type(error).__name__)
            time.sleep(0.1 * attempt)
        else:
            failpoints.hit("IM2")
            return


def let_go(rt: Runtime, run_id: int) -> None:
    """Whoever comes next may go on at once."""
    with rt.transaction() as session:
        session.execute(update(ImportRun).where(ImportRun.id == run_id).values(lease_until=None))


def end(session: Session, run_id: int, states: set[ImportState], **values: Any) -> None:  # noqa: ANN401 (columns)
    """Leave one of `states`; raises LostImportError if somebody else did."""
    ended = session.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id, ImportRun.state.in_(states))
        .values(lease_until=None, **values)
        .returning(ImportRun.id)
    )
    if ended.first() is None:
        raise staging.LostImportError


def fetch_cells(transaction: Transaction, run: ImportRun) -> None:
    """Give rows that turned out wrong only beside others their cells, out of the file, in one pass through it."""
    with transaction() as session:
        rows = failing.without_cells(session, run.id, CHUNK_ROWS)
    if not rows:
        return
    with table.opened(transaction, run) as opened:
        while rows:
            wanted, last = set(rows), rows[-1]
            found = [(each.row, each.cells) for each in _until(opened.records, last) if each.row in wanted]
            with transaction() as session:
                failing.add_cells(session, run.id, found)
                rows = failing.without_cells(session, run.id, CHUNK_ROWS)


def _until(records: Iterator[Record], row: int) -> Iterator[Record]:
    """The next records, `row` the last of them."""
    for record in records:
        yield record
        if record.row >= row:
            return
