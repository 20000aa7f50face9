"""Taking a list in at the door: what can be refused at once is refused at once, the rest is a worker's."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import phone, sheets
from bot.models.imports import ImportRun, RejectedRow, StoredFile
from bot.models.segment import Segment
from bot.models.words import Environment, ImportState
from broadcasts.imports import files
from broadcasts.imports.dialects import COMMENTS, DIALECTS, Column, Dialect, HeaderError, read_header
from broadcasts.imports.reader import BrokenFileError, Record, Shape, records, shape_of
from broadcasts.segments import segments

PAGE = 50


class ImportRefusedError(ValueError):
    """The list is not taken in; the text says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the import history."""

    run: ImportRun
    segment: Segment
    file: StoredFile

    @property
    def done(self) -> int:
        return self.run.created + self.run.updated + self.run.unchanged + self.run.failed


def start(  # noqa: PLR0913 (the fields of the form)
    session: Session,
    *,
    environment: str,
    segment_name: str,
    dialect_name: str,
    country: str | None,
    file_name: str,
    source: IO[bytes],
    operator_id: int | None = None,
) -> ImportRun:
    """Store the file and put its import in the queue (ring "bulk" after the commit); raises ImportRefusedError.

    `source` must be able to seek. A segment of that name is added to, otherwise it is made.
    """
    if environment not in set(Environment):
        raise ImportRefusedError(f"There is no environment {environment!r}: choose live or test.")
    dialect = dialect_named(dialect_name)
    country = _checked_country(dialect, country)
    _check_head(dialect, source)
    try:
        segment = segments.find_or_create(session, environment, segment_name)
        stored = files.store(session, file_name, source)
    except (segments.SegmentError, files.FileTooLargeError) as error:
        raise ImportRefusedError(str(error)) from error
    run = ImportRun(
        environment=environment,
        segment_id=segment.id,
        file_id=stored.id,
        dialect=dialect.name,
        country=country,
        state=ImportState.WAITING,
        created_by_operator_id=operator_id,
    )
    session.add(run)
    session.flush()
    return run


def dialect_named(name: str) -> Dialect:
    if name not in DIALECTS:
        raise ImportRefusedError(f"There is no dialect {name!r}: choose {' or '.join(DIALECTS)}.")
    return DIALECTS[name]


def history(session: Session, environment: str, *, before: int | None = None, limit: int = PAGE) -> list[Listed]:
    """Imports of an environment, newest first, with ids below `before`."""
    found = (
        select(ImportRun, Segment, StoredFile)
        .join(Segment, Segment.id == ImportRun.segment_id)
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
        .where(ImportRun.environment == environment)
        .order_by(ImportRun.id.desc())
        .limit(limit)
    )
    if before is not None:
        found = found.where(ImportRun.id < before)
    return [Listed(*row) for row in session.execute(found)]


def one(session: Session, run_id: int) -> Listed | None:
    row = session.execute(
        select(ImportRun, Segment, StoredFile)
        .join(Segment, Segment.id == ImportRun.segment_id)
        .join(StoredFile, StoredFile.id == ImportRun.file_id)
        .where(ImportRun.id == run_id)
    ).one_or_none()
    return None if row is None else Listed(*row)


def rejected(session: Session, run_id: int, *, after: int = 0, limit: int = 1000) -> Sequence[RejectedRow]:
    """Rows that were kept out, in the file's order, from the row after `after`."""
    return session.scalars(
        select(RejectedRow)
        .where(RejectedRow.import_id == run_id, RejectedRow.row > after)
        .order_by(RejectedRow.row)
        .limit(limit)
    ).all()


def read_table(file: BinaryIO, shape: Shape, dialect: Dialect) -> tuple[Record, list[Column | None], Iterator[Record]]:
    """The header as it stands, where its columns go, and the records below it; raises HeaderError, BrokenFileError."""
    table = records(file, shape)
    header = next(islice(table, 1), Record(1, []))
    if header.problem:
        raise BrokenFileError(f"Row {header.row}: {header.problem}")
    return header, read_header(dialect, header.cells), table


def _check_head(dialect: Dialect, source: IO[bytes]) -> None:
    """Refuse at once what the first lines already give away; the worker reads the rest with the same eyes."""
    head = source.read(files.PIECE_BYTES)
    is_whole = len(head) < files.PIECE_BYTES
    source.seek(0)
    if not is_whole:
        head = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1 & ~1] or head  # even: UTF-16 too
    try:
        shape = shape_of(lambda: io.BytesIO(head))
        read_table(io.BytesIO(head), shape, dialect)
    except (BrokenFileError, HeaderError) as error:
        raise ImportRefusedError(str(error)) from error


def _checked_country(dialect: Dialect, country: str | None) -> str | None:
    if dialect.has_plus:
        return None
    chosen = (country or "").strip().upper()
    if not chosen:
        raise ImportRefusedError(f"Choose the country whose code is added to the numbers of a {dialect.name} list.")
    if chosen not in phone.calling_codes():
        raise ImportRefusedError(f"There is no country {chosen[:20]!r}: choose one by its two letters, such as IN.")
    return chosen


def comments(transaction: files.Transaction, listed: Listed) -> Iterator[bytes]:
    """The rows that were kept out, as a CSV with the list's own columns and a last one, Comments, that says why."""
    run = listed.run
    if not (run.encoding and run.delimiter):
        return
    shape = Shape(run.encoding, run.delimiter)
    with files.open_file(transaction, run.file_id) as file:
        header, layout, _ = read_table(file, shape, dialect_named(run.dialect))
    kept = [place for place, column in enumerate(layout) if column is not None]
    rows = _commented(transaction, run.id, [header.cells[place] for place in kept], kept, len(layout))
    yield from sheets.as_csv(rows, shape.delimiter)


def _commented(
    transaction: files.Transaction, run_id: int, header: list[str], kept: Sequence[int], width: int
) -> Iterator[list[str]]:
    yield [*header, COMMENTS]
    after = 0
    while True:
        with transaction() as session:
            rows = rejected(session, run_id, after=after)
        if not rows:
            return
        for row in rows:
            cells = [*row.cells, *[""] * (width - len(row.cells))]
            extra = cells[width:]
            comment = f"Row {row.row}: {row.comment}" + (
                f" Beyond the last column: {' | '.join(extra)}" if extra else ""
            )
            yield [*(cells[place] for place in kept), comment]
        after = rows[-1].row
