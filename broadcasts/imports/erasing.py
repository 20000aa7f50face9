"""Takes an erased person out of lists: their rows' cells go, here and in the original; the rows keep their places."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Final

from sqlalchemy import Text, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from bot.erasure.rounds import Erased, Step
from bot.erasure.traces import Traces
from bot.models.imports import FilePiece, ImportRow, ImportRun, StoredFile
from bot.models.words import ImportState, RowVerdict
from bot.runtime import Runtime
from bot.sheets import as_csv
from broadcasts.imports.files import PIECE_BYTES, open_file
from broadcasts.imports.reading import reader
from broadcasts.imports.reading.dialects import DIALECTS, HeaderError, read_header
from broadcasts.imports.reading.problems import ProblemKind
from broadcasts.imports.reading.reader import BrokenFileError, Record, Shape

COMMENT: Final = "The person of this row was erased."
UNSAID: Final = "The comment named a person who was erased since: correct the row and check it again."
STANDS_FOR_THEM: Final = "(erased)"
"""In the first cell of a row that was emptied: without it the row would be none, and those below it move up."""

_WORKING = frozenset({ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING})
_OVERLAP = 200
_ENDING = 7
"""Digits that a number ends with, however it is dialled; what holds them is looked at closely."""
_COUNTED = {RowVerdict.NEW: "will_create", RowVerdict.CHANGED: "will_update", RowVerdict.UNCHANGED: "will_keep"}


def search(rt: Runtime, session: Session, erased: Erased, place: Mapping[str, Any]) -> Step:
    """An import a step, by its id; one that a worker is at is waited for. `place` is {"after"}."""
    run = session.scalar(
        select(ImportRun)
        .where(ImportRun.environment == erased.environment, ImportRun.id > place.get("after", 0))
        .order_by(ImportRun.id)
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if run is None:
        return Step(None)
    if run.state in _WORKING:
        return Step(dict(place), is_waiting=True)
    counts = {
        "rows of lists": _empty_rows(session, run, erased.traces),
        "comments": _unsay(session, run, erased.traces),
        "lists": int(_rewrite(rt, session, run, erased.traces)),
    }
    if run.findings and any(erased.traces.may_be_in(word.encode()) for word in _words(run.findings)):
        run.findings = {**run.findings, "columns": run.findings.get("columns", []), "notes": []}
    session.flush()
    return Step({"after": run.id}, {name: count for name, count in counts.items() if count})


def _empty_rows(session: Session, run: ImportRun, traces: Traces) -> int:
    """Rows as they were judged; what was to be taken in fails, and is counted so."""
    endings = sorted({f"%{number[-_ENDING:]}%" for number in traces.numbers})
    digits = [
        func.regexp_replace(cast(column, Text), "[^0-9]", "", "g") for column in (ImportRow.cells, ImportRow.wanted)
    ]
    named = [
        cast(column, Text).ilike(pattern)
        for column in (ImportRow.cells, ImportRow.wanted)
        for pattern in traces.found_in()
    ]
    suspects = select(ImportRow).where(
        ImportRow.import_id == run.id,
        or_(
            ImportRow.distinct_id.in_(traces.distinct_ids),
            ImportRow.phone.in_([f"+{number}" for number in traces.numbers]),
            *(column.like(pattern) for column in digits for pattern in endings),
            *named,
        ),
    )
    emptied = 0
    for row in session.scalars(suspects):
        if not _is_theirs(row, traces):
            continue
        if column := _COUNTED.get(RowVerdict(row.verdict)):
            setattr(run, column, getattr(run, column) - 1)
            run.will_fail += 1
        row.verdict, row.problem_kind, row.comment = RowVerdict.FAILED, ProblemKind.ERASED, COMMENT
        row.distinct_id = row.phone = row.wanted = row.proposal = row.column = None
        row.cells = [STANDS_FOR_THEM]
        emptied += 1
    return emptied


def _unsay(session: Session, run: ImportRun, traces: Traces) -> int:
    """Comments on others' rows that say whose number stands there."""
    named = or_(*(ImportRow.comment.ilike(pattern) for pattern in traces.found_in()))
    found = session.scalars(select(ImportRow).where(ImportRow.import_id == run.id, named)).all()
    for row in found:
        row.comment = UNSAID
    return len(found)


def _is_theirs(row: ImportRow, traces: Traces) -> bool:
    if row.distinct_id in traces.distinct_ids or (row.phone and traces.is_named_by(row.phone)):
        return True
    return any(traces.is_in_cell(word) for word in _words([row.cells, row.wanted]))


def _words(node: Any) -> Iterator[str]:  # noqa: ANN401 (any JSON)
    if isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from _words(each)
    elif isinstance(node, str):
        yield node


def _rewrite(rt: Runtime, session: Session, run: ImportRun, traces: Traces) -> bool:
    """Whether the original named them: it is then a CSV without what it said of them, or gone if nobody can read it."""
    file = partial(open_file, rt.transaction, run.file_id)
    if not _may_hold(file(), traces):
        return False
    try:
        shape = Shape(run.encoding, run.delimiter or ",") if run.encoding else reader.shape_of(file)
        with file() as source, tempfile.TemporaryFile() as left:
            pruned = _Pruned(run, shape, traces)
            for data in as_csv(pruned.rows(reader.records(source, shape)), shape.delimiter):
                left.write(data)
            if pruned.emptied:
                left.seek(0)
                _replace(session, run, shape, left)
            return bool(pruned.emptied)
    except BrokenFileError:
        session.execute(delete(FilePiece).where(FilePiece.file_id == run.file_id))
        return True


def _may_hold(source: IO[bytes], traces: Traces) -> bool:
    """A look at the bytes is many times quicker than reading the table; a workbook is packed, and always read."""
    before = b""
    with source:
        for data in iter(partial(source.read, PIECE_BYTES), b""):
            if not before and data.startswith(b"PK\x03\x04"):
                return True
            if traces.may_be_in(before + data):
                return True
            before = data[-_OVERLAP:]
    return False


@dataclass(slots=True)
class _Pruned:
    run: ImportRun
    shape: Shape
    traces: Traces
    emptied: int = 0

    def rows(self, records: Iterator[Record]) -> Iterator[Sequence[str]]:
        """All rows in their places, blank ones too; those of the person with STANDS_FOR_THEM alone."""
        place, id_column = 0, None
        for record in records:
            place += 1
            while place < record.row:
                yield []
                place += 1
            if id_column is None:
                id_column = self._id_column(record.cells)
                yield record.cells
            elif self._is_theirs(record, id_column):
                self.emptied += 1
                yield [STANDS_FOR_THEM, *[""] * (len(record.cells) - 1)]
            else:
                yield record.cells

    def _id_column(self, header: Sequence[str]) -> int:
        """Where distinct ids stand, which are too short to be looked for elsewhere; -1 for nowhere."""
        with suppress(HeaderError):
            layout = read_header(DIALECTS[self.run.dialect], header)
            return next((place for place, column in enumerate(layout) if column and column.target == "distinct_id"), -1)
        return -1

    def _is_theirs(self, record: Record, id_column: int) -> bool:
        cells = record.cells
        if record.problem:
            return any(self.traces.may_be_in(cell.encode()) for cell in cells)
        if 0 <= id_column < len(cells) and cells[id_column].strip() in self.traces.distinct_ids:
            return True
        return any(self.traces.is_in_cell(cell) for cell in cells)


def _replace(session: Session, run: ImportRun, shape: Shape, left: IO[bytes]) -> None:
    session.execute(delete(FilePiece).where(FilePiece.file_id == run.file_id))
    digest, size = hashlib.sha256(), 0
    for seq, data in enumerate(iter(partial(left.read, PIECE_BYTES), b"")):
        digest.update(data)
        size += len(data)
        session.add(FilePiece(file_id=run.file_id, seq=seq, data=data))
        session.flush()
    kept = session.get_one(StoredFile, run.file_id)
    kept.sha256, kept.size = digest.hexdigest(), size
    if kept.name.lower().endswith(".xlsx"):
        kept.name = f"{kept.name[:-5]}.csv"
    values = {"encoding": "utf-8-sig", "delimiter": shape.delimiter, "format": "csv"}
    session.execute(update(ImportRun).where(ImportRun.file_id == run.file_id).values(values))
