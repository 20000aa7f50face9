"""The table in an uploaded file: its header, where its columns go, and the records below."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO

from bot.language import _
from bot.models.imports import ImportRun
from bot.models.words import PropertyType
from bot.people import properties
from broadcasts.imports.files import Transaction, open_file
from broadcasts.imports.reading import repair
from broadcasts.imports.reading.dialects import DIALECTS, Column, Dialect, read_header
from broadcasts.imports.reading.quick import QuickReader, Ready
from broadcasts.imports.reading.reader import BrokenFileError, Record, Shape, records
from broadcasts.imports.reading.rows import Rejected, RowReader, Wanted


@dataclass(frozen=True, slots=True)
class Table:
    header: Record
    layout: Sequence[Column | None]
    records: Iterator[Record]
    notes: Sequence[str] = ()
    """What was put right in the header."""

    @property
    def headers(self) -> dict[str, str]:
        """Target to the column's name in this file."""
        return {column.target: column.header for column in self.layout if column is not None}

    @property
    def properties(self) -> dict[str, PropertyType]:
        """Attributes that the list gives, with their types."""
        return {column.target: column.kind for column in self.layout if column is not None and column.is_attribute}


def read(file: IO[bytes], shape: Shape, dialect: Dialect, known: Mapping[str, PropertyType] | None = None) -> Table:
    """`known` are the attributes there are, with their types; raises HeaderError and BrokenFileError."""
    found = records(file, shape)
    header = next(islice(found, 1), Record(1, []))
    if header.problem:
        raise BrokenFileError(_("Row %(row)s: %(problem)s", row=header.row, problem=header.problem))
    meant = repair.header(dialect, header.cells)
    layout = read_header(dialect, meant.cells, known)
    header = Record(header.row, list(meant.cells))
    return Table(header, layout, repair.rows(found, meant), [meant.note] if meant.note else [])


@contextmanager
def opened(
    transaction: Transaction, run: ImportRun, open_stored: Callable[[Transaction, int], IO[bytes]] = open_file
) -> Iterator[Table]:
    """The table of a file whose shape is known, read as the attributes of now have it."""
    with transaction() as session:
        known = properties.custom(session, run.environment)
    with closing(open_stored(transaction, run.file_id)) as file:
        yield read(file, shape_of(run), DIALECTS[run.dialect], known)


def shape_of(run: ImportRun) -> Shape:
    return Shape(run.encoding or "", run.delimiter or "")


def reader(run: ImportRun, table: Table) -> RowReader:
    return RowReader(DIALECTS[run.dialect], run.country, table.layout)


def judge(run: ImportRun, table: Table) -> Callable[[Record], Ready | Wanted | Rejected]:
    """Reads row after row of a whole list."""
    slow = reader(run, table)
    if run.erases_blanks:  # empty cells say something too
        return slow.read
    quick = QuickReader(DIALECTS[run.dialect], run.country, table.layout)
    return lambda record: quick.read(record) or slow.read(record)
