"""One record of a list → a person as the list wants them, or the comment that goes back to whoever made the list."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.people import attributes
from bot.people.attributes import AttributeValueError, Value
from broadcasts.imports.reading import phones, type_fixes
from broadcasts.imports.reading.cells import COLUMNS, CellError, name_reader, plain, read_email
from broadcasts.imports.reading.cells import LONGEST_CELL as LONGEST_CELL
from broadcasts.imports.reading.damage import Damage
from broadcasts.imports.reading.dialects import Column, Dialect
from broadcasts.imports.reading.problems import ProblemKind
from broadcasts.imports.reading.reader import Record


@dataclass(slots=True)
class Wanted:
    """What a row says. `phone` is the canonical form; `attributes` are as bot.people.attributes stores them."""

    row: int
    cells: Sequence[str]
    phone: str
    country: str | None
    distinct_id: str | None = None
    email: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Value] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Target to the column's name in this file, for comments."""
    blank: list[str] = field(default_factory=list)
    """Targets whose cells are empty, attributes among them: they are in none of the above."""


@dataclass(frozen=True, slots=True)
class Rejected:
    row: int
    cells: Sequence[str]
    comment: str
    column: int | None = None
    """Place of the cell at fault, from 0; of several the one whose fault is most fundamental."""
    kind: str = ProblemKind.ROW_SHAPE
    proposal: Mapping[str, str] | None = None
    """Cells that would be right, by place: {"1": "+201012345678"}."""


Take = Callable[[Wanted, str], None]
Fault = tuple[int, Column, CellError]


class RowReader:
    """Reads the records of one file: `read` never raises; `tally` counts what spreadsheets did to the cells."""

    def __init__(self, dialect: Dialect, country: str | None, layout: Sequence[Column | None]) -> None:
        self._width = len(layout)
        self._headers = {column.target: column.header for column in layout if column is not None}
        self._needed = {"phone", "distinct_id"} if dialect.names_person else {"phone"}
        self.tally: Counter[Damage] = Counter()
        takes = _Takes(dialect, country, self.tally)
        self._takes = [(place, column, takes.of(column)) for place, column in enumerate(layout) if column is not None]

    def read(self, record: Record) -> Wanted | Rejected:
        """All comments of a row at once, so that one round of corrections is enough."""
        if record.problem:
            return Rejected(record.row, record.cells, record.problem)
        extra = len(record.cells) - self._width
        if extra > 0 and any(cell.strip() for cell in record.cells[-extra:]):
            comment = (
                f"The row has {len(record.cells):,} cells and the header {self._width}: "
                "put quotes around a cell that holds the delimiter."
            )
            return Rejected(record.row, record.cells, comment)
        return self._read_cells(record)

    def _read_cells(self, record: Record) -> Wanted | Rejected:
        cells, there = record.cells, len(record.cells)
        wanted = Wanted(record.row, cells, "", None, headers=self._headers)
        faults: list[Fault] = []
        for place, column, take in self._takes:
            text = ""
            try:
                text = plain(cells[place] if place < there else self._beyond(column))
                take(wanted, text)
            except CellError as error:
                faults.append((place, column, error))
            except AttributeValueError as error:
                told = f"{str(error).removesuffix('.')}."
                faults.append((place, column, CellError(ProblemKind.TYPE, told, type_fixes.propose(column.kind, text))))
        return _rejected(record, faults) if faults else wanted

    def _beyond(self, column: Column) -> str:
        """A short row lacks its last, blank cells, but must reach those that every row needs."""
        if column.target in self._needed:
            kind = ProblemKind.PHONE_MISSING if column.target == "phone" else ProblemKind.ID_MISSING
            raise CellError(kind, "is missing from this row.")
        return ""


def _rejected(record: Record, faults: Sequence[Fault]) -> Rejected:
    place, _, first = min(faults, key=lambda fault: fault[2].kind.rank)
    comment = " ".join(f"{column.header} {error}" for _, column, error in faults)
    proposal = {str(place): error.proposal for place, _, error in faults if error.proposal}
    return Rejected(record.row, record.cells, comment, place, first.kind, proposal or None)


class _Takes:
    """How each column's cells get into a Wanted, worked out once for the whole file."""

    def __init__(self, dialect: Dialect, country: str | None, tally: Counter[Damage]) -> None:
        self._read_phone = phones.reader(dialect, country, tally)
        self._read_name = name_reader(dialect)

    def of(self, column: Column) -> Take:
        if column.is_attribute:
            return take_for(column)
        if column.target == "phone":
            return self._take_phone
        if column.target == "distinct_id":
            return self._take_name
        return _take_email if column.target == "email" else take_for(column)

    def _take_phone(self, wanted: Wanted, text: str) -> None:
        found = self._read_phone(text)
        wanted.phone, wanted.country = found.e164, found.country

    def _take_name(self, wanted: Wanted, text: str) -> None:
        wanted.distinct_id = self._read_name(text)


def take_for(column: Column) -> Take:
    """How cells of an attribute, or of a column of person other than its ids and addresses, get into a Wanted."""
    return _take_attribute(column) if column.is_attribute else _take_column(column)


def _take_email(wanted: Wanted, text: str) -> None:
    if text:
        wanted.email = read_email(text)
    else:
        wanted.blank.append("email")


def _take_column(column: Column) -> Take:
    read, target = COLUMNS[column.target], column.target

    def take(wanted: Wanted, text: str) -> None:
        if text:
            wanted.columns[target] = read(text)
        else:
            wanted.blank.append(target)

    return take


def _take_attribute(column: Column) -> Take:
    read, name = attributes.READERS[column.kind], column.target

    def take(wanted: Wanted, text: str) -> None:
        if text:
            wanted.attributes[name] = read(text)
        else:
            wanted.blank.append(name)

    return take
