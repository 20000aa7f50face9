"""Files of lists are kept for BACKCHAT_IMPORT_RETENTION_DAYS after their end; counts, journal and undo for good."""

from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import delete, func, null, select, update
from sqlalchemy.orm import Session

from bot.language import later, translated
from bot.models.imports import FilePiece, ImportRun
from bot.models.words import ImportState
from bot.runtime import Runtime
from broadcasts.imports import files, staging
from broadcasts.imports.imports import ImportRefusedError

GONE: Final = later(
    "The file of this import and the rows that were kept out are no longer kept: upload the file "
    "again. The import itself can still be undone."
)

_ENDED = (ImportState.FINISHED, ImportState.CANCELLED, ImportState.FAILED, ImportState.UNDONE)
_AT_ONCE = 10
"""Files in one transaction; each may have 200 MiB."""

log = structlog.get_logger()


def tidy(rt: Runtime) -> None:
    """Delete what is older than its time; the clock calls this every hour."""
    gone = 0
    while dropped := _next(rt):
        gone += len(dropped)
    if gone:
        log.info("imports.files_dropped", files=gone)


def _next(rt: Runtime) -> Sequence[int]:
    with rt.transaction() as session:
        return drop(session, rt.settings.import_retention_days)


def check(session: Session, run_id: int) -> None:
    """Raises ImportRefusedError if the file is gone, without which no row can be read anew."""
    file_id = session.scalar(select(ImportRun.file_id).where(ImportRun.id == run_id))
    if file_id is not None and not files.is_kept(session, file_id):
        raise ImportRefusedError(translated(GONE))


def drop(session: Session, days: int) -> Sequence[int]:
    """Delete the files of some lists that ended more than `days` ago, with all that was kept of their rows; their ids.

    The mark that the file is gone is that it has no pieces: erasure leaves nothing of a broken one either.
    """
    ended = func.coalesce(ImportRun.undone_at, ImportRun.finished_at, ImportRun.created_at)
    found = session.execute(
        select(ImportRun.id, ImportRun.file_id)
        .where(ImportRun.state.in_(_ENDED), ended < func.now() - func.make_interval(0, 0, 0, days))
        .where(select(FilePiece.file_id).where(FilePiece.file_id == ImportRun.file_id).exists())
        .order_by(ImportRun.id)
        .limit(_AT_ONCE)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    for run_id, file_id in found:
        session.execute(delete(FilePiece).where(FilePiece.file_id == file_id))
        session.execute(update(ImportRun).where(ImportRun.id == run_id).values(findings=null()))  # its first rows
        staging.forget(session, run_id)
    return [run_id for run_id, _ in found]
