"""What a first look at a list says of the file: its columns, what was put right, what a spreadsheet did to it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from bot import phone
from bot.models.words import PropertyType
from broadcasts.imports.reading import fixes
from broadcasts.imports.reading.damage import Damage
from broadcasts.imports.reading.dialects import (
    COMMENTS,
    METAHUMANS,
    SENDBIRD,
    Column,
    Dialect,
    HeaderError,
    read_header,
)
from broadcasts.imports.reading.reader import Record, Shape
from broadcasts.imports.reading.rows import RowReader
from broadcasts.imports.reading.table import Table

SAMPLE = 2_000
"""Rows that the first look reads."""
_SAMPLE_CHARACTERS = 4_000_000
_LONGEST_NUMBER = 60
_ASKED = 40
"""Numbers of the sample that every country is tried on."""


def survey(
    table: Table, shape: Shape, dialect: Dialect, country: str | None, known: Mapping[str, PropertyType]
) -> dict[str, Any]:
    """JSON for import_run.findings; reads the first of the table's records."""
    reader = RowReader(dialect, country, table.layout)
    place = next((n for n, column in enumerate(table.layout) if column and column.target == "phone"), 0)
    numbers, cells = [], table.header.cells
    for record in _sample(table.records):
        reader.read(record)
        numbers.append(record.cells[place][:_LONGEST_NUMBER] if place < len(record.cells) else "")
    return {
        "dialect": recognised(dialect, cells, known),
        "format": shape.format,
        "encoding": shape.encoding,
        "delimiter": shape.delimiter,
        "columns": [_column(name, column, known) for name, column in zip(cells, table.layout, strict=False)],
        "notes": [*table.notes, *_notes(table.layout)],
        "suggested_country": None if dialect.has_plus else suggested_country(numbers),
        "damage": {word.value: reader.tally[word] for word in Damage},
        "sampled": len(numbers),
    }


def sheet_notes(left_out: Sequence[str]) -> list[str]:
    """What is said of a workbook's further sheets."""
    shown = ", ".join(left_out[:5]) + (" …" if len(left_out) > 5 else "")
    return [f"Only the first sheet is read; not read: {shown}. Upload them as files of their own."] if left_out else []


def recognised(dialect: Dialect, cells: Sequence[str], known: Mapping[str, PropertyType]) -> str:
    """The strict dialect whose columns a list has, if it was not said; otherwise the one it was said to be."""
    if not dialect.is_lenient:
        return dialect.name
    for strict in (METAHUMANS, SENDBIRD):
        try:
            read_header(strict, cells, known)
        except HeaderError:
            continue
        return strict.name
    return dialect.name


def suggested_country(cells: Sequence[str]) -> str | None:
    """The country that makes most of the numbers without a plus real ones, if one stands out."""
    numbers = [number for number in map(fixes.compact, cells) if number]
    return phone.likely_country(numbers[:: max(1, len(numbers) // _ASKED)][:_ASKED])


def _sample(records: Iterator[Record]) -> Iterator[Record]:
    """The first rows, fewer where they are wide."""
    left = _SAMPLE_CHARACTERS
    for record in islice(records, SAMPLE):
        yield record
        left -= sum(map(len, record.cells))
        if left < 0:
            return


def _column(header: str, column: Column | None, known: Mapping[str, PropertyType]) -> dict[str, Any]:
    if column is None:
        is_comment = header.strip().casefold() == COMMENTS.casefold()
        note = "Comments of an earlier import are passed over." if is_comment else "Backchat finds this out by itself."
        return {"header": header, "becomes": "ignored", "name": None, "type": None, "is_new": False, "note": note}
    return {
        "header": header,
        "becomes": "attribute" if column.is_attribute else column.target,
        "name": column.target,
        "type": column.kind.value,
        "is_new": column.is_attribute and column.target not in known,
        "note": column.note or None,
    }


def _notes(layout: Sequence[Column | None]) -> Iterator[str]:
    for column in layout:
        if column is not None and column.note:
            yield f"Column {column.header[:80]}: {column.note}"
        elif column is not None and "||" not in column.header and column.kind != PropertyType.TEXT:
            yield f"Column {column.header[:80]} says no type: {column.target} is {column.kind} already."
