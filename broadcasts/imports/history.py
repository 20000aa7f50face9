"""Imports as they are listed, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.models.imports import FilePiece, ImportRow, ImportRun, StoredFile
from bot.models.segment import Segment
from bot.models.words import RowVerdict

PAGE = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the import history."""

    run: ImportRun
    segment: Segment
    file: StoredFile
    has_file: bool
    """Whether its bytes are there still; see keeping.py."""

    @property
    def done(self) -> int:
        run = self.run
        return run.created + run.updated + run.unchanged + run.failed + run.superseded + run.excess


def history(session: Session, environment: str, *, before: int | None = None, limit: int = PAGE) -> list[Listed]:
    """Imports of an environment, newest first, with ids below `before`."""
    found = _listed().where(ImportRun.environment == environment).order_by(ImportRun.id.desc()).limit(limit)
    if before is not None:
        found = found.where(ImportRun.id < before)
    return [Listed(*row) for row in session.execute(found)]


def one(session: Session, run_id: int) -> Listed | None:
    row = session.execute(_listed().where(ImportRun.id == run_id)).one_or_none()
    return None if row is None else Listed(*row)


def rejected(session: Session, run_id: int, *, after: int = 0, limit: int = 1000) -> Sequence[ImportRow]:
    """Rows that were kept out, in the file's order, from the row after `after`."""
    return session.scalars(
        select(ImportRow)
        .where(ImportRow.import_id == run_id, ImportRow.verdict == RowVerdict.FAILED, ImportRow.row > after)
        .order_by(ImportRow.row)
        .limit(limit)
    ).all()


def _listed() -> Select[ImportRun, Segment, StoredFile, bool]:
    has_file = select(FilePiece.file_id).where(FilePiece.file_id == ImportRun.file_id).exists()
    return (
        select(ImportRun, Segment, StoredFile, has_file)
        .join(Segment, Segment.id == ImportRun.segment_id)
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
    )
