"""A list on its way into a segment, or out again: who works on it, and until when."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import psycopg
import structlog
from sqlalchemy import func, select, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from bot.models.imports import ImportRun
from bot.models.words import ImportState
from bot.people.properties import PropertyError
from bot.runtime import Runtime
from broadcasts.imports import check, running, staging, steps, undo
from broadcasts.imports.reading.dialects import HeaderError
from broadcasts.imports.reading.reader import BrokenFileError
from broadcasts.imports.staging import LEASE_S, LostImportError

log = structlog.get_logger()

_PHASES: Mapping[str, Callable[[Runtime, ImportRun, Callable[[], bool]], None]] = {
    ImportState.CHECKING: check.go_on,
    ImportState.RUNNING: running.go_on,
    ImportState.UNDOING: undo.go_on,
}
_COLLECTED_AT = 200_000
"""Objects made since the last collection."""

_DUE = ("checking", "waiting", "running", "undoing")

_CLAIM = text("""
    UPDATE import_run
       SET state = CASE state WHEN 'waiting' THEN 'running' ELSE state END,
           started_at = CASE state WHEN 'waiting' THEN now() ELSE coalesce(started_at, now()) END,
           failed = CASE state WHEN 'waiting' THEN will_fail ELSE failed END,
           lease_until = now() + make_interval(secs => :lease_s)
     WHERE id = (
        SELECT id FROM import_run
         WHERE state = ANY(:due) AND (lease_until IS NULL OR lease_until < now())
         ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id
""")


def is_due(session: Session) -> bool:
    """Whether an import waits for a worker, or has lost its own."""
    due = ImportRun.state.in_(_DUE) & (func.coalesce(ImportRun.lease_until, func.to_timestamp(0)) < func.now())
    return bool(session.scalar(select(select(ImportRun.id).where(due).exists())))


def work(rt: Runtime, is_over: Callable[[], bool]) -> bool:
    """Go on with the oldest import that is due until `is_over`, asked after each chunk; whether there was one."""
    with rt.transaction() as session:
        run_id = session.scalar(_CLAIM, {"lease_s": LEASE_S, "due": list(_DUE)})
        run = session.get_one(ImportRun, run_id) if run_id else None
    if run is None:
        return False
    try:
        with _rarely_collecting():
            _PHASES[run.state](rt, run, is_over)
    except (BrokenFileError, HeaderError, PropertyError) as error:
        _fail(rt, run, str(error))
    except (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError) as error:  # again and again
        log.error("import.stuck", import_id=run.id, error=type(error).__name__)  # noqa: TRY400 (its text holds values)
        _fail(rt, run, None)
    except LostImportError:
        log.info("import.lost", import_id=run.id)
    return True


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Rows are many and in no cycles: looking for garbage among them, ever again, takes a third of the time."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AT, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def _fail(rt: Runtime, run: ImportRun, problem: str | None) -> None:
    """The import ends here; somebody has to look at it."""
    is_checking = run.state == ImportState.CHECKING
    with rt.transaction() as session:
        row = session.get_one(ImportRun, run.id).next_row
        told = problem or f"The rows from {row:,} on could not be stored; see the log."
        steps.end(
            session, run.id, {ImportState(run.state)}, state=ImportState.FAILED, problem=told, finished_at=func.now()
        )
        (staging.forget if is_checking else staging.clear)(session, run.id)
