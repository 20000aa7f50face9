"""A file's bytes → numbered records, streamed: CSV or workbook, which encoding and delimiter, and what is broken."""

import codecs
import csv
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import IO, NamedTuple

from bot.language import _, later, translated
from bot.sheets import unguard
from broadcasts.imports.reading.problems import BrokenFileError as BrokenFileError
from broadcasts.imports.reading.scripts import Scripts
from broadcasts.imports.reading.workbook import SIGNATURE, Workbook

DELIMITERS = ",;\t|"
LONGEST_LINE = 1024 * 1024
HEAD_BYTES = 64 * 1024
XLSX = "xlsx"

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_NOT_DELIMITING = re.compile(r'"[^"]*"|\|\|')
"""Quoted cells, and the bars between a column's name and its type."""
_SEPARATOR_TOLD = re.compile(r"(?i)sep=([,;\t|])")
"""A first line that spreadsheet programs understand, and some write."""
_REMEDY = later("Save it as “CSV UTF-8” and upload it again.")


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a workbook the encoding is `xlsx`, and the delimiter that of the files made from it."""

    encoding: str
    delimiter: str

    @property
    def format(self) -> str:
        return XLSX if self.encoding == XLSX else "csv"


class Record(NamedTuple):
    """One line of the table; `row` counts as a spreadsheet does, from 1. `problem` is set where it cannot be read."""

    row: int
    cells: list[str]
    problem: str | None = None


def shape_of(open_file: Callable[[], AbstractContextManager[IO[bytes]]]) -> Shape:
    """Encoding and delimiter, from all of the file; raises BrokenFileError if it is empty or in no known encoding."""
    with open_file() as file:
        encoding = _encoding_of(file)
    if encoding == XLSX:
        return Shape(XLSX, ",")
    with open_file() as file:
        return Shape(encoding, _delimiter_of(file.read(HEAD_BYTES), encoding))


def records(file: IO[bytes], shape: Shape) -> Iterator[Record]:
    """Every record that is not blank, a malformed one with its `problem`; raises BrokenFileError if it cannot go on."""
    if shape.format == XLSX:
        yield from _sheet_records(file)
        return
    taken: list[str] = []
    table = csv.reader(_lines(file, shape.encoding, taken), delimiter=shape.delimiter, strict=True)
    row = 0
    while True:
        row += 1
        taken.clear()
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            yield _malformed(row, taken, str(error))
            continue
        except UnicodeDecodeError as error:
            raise BrokenFileError(
                _(
                    "Row %(row)s holds bytes that are not %(encoding)s. %(remedy)s",
                    row=row,
                    encoding=shape.encoding,
                    remedy=translated(_REMEDY),
                )
            ) from error
        if row == 1 and cells and cells[0].casefold() == "sep=":
            continue
        if any(map(str.strip, cells)):
            yield Record(row, [unguard(cell) if cell[:1] == "'" else cell for cell in cells])


def left_out(file: IO[bytes], shape: Shape) -> list[str]:
    """Names of a workbook's further sheets, of which nothing is read."""
    if shape.format != XLSX:
        return []
    with _seekable(file) as whole:
        return Workbook(whole).left_out()


def _sheet_records(file: IO[bytes]) -> Iterator[Record]:
    with _seekable(file) as whole:
        for row, cells in Workbook(whole).rows():
            yield Record(row, [unguard(cell) for cell in cells])


@contextmanager
def _seekable(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """A zip is read from its end, and a file out of the database comes once, from the front."""
    if file.seekable():
        yield file
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        yield copy


def _malformed(row: int, taken: list[str], error: str) -> Record:
    if "unexpected end of data" in error or "field larger" in error:
        raise BrokenFileError(
            _('Row %(row)s: a quote (") is opened and never closed. Close it, or delete it.', row=row)
        )
    problem = 'The quotes in this row do not match: write a quote inside a quoted cell twice ("").'
    return Record(row, ["".join(taken).rstrip("\r\n")], problem)


def _lines(file: IO[bytes], encoding: str, taken: list[str]) -> Iterator[str]:
    """Decoded lines, none longer than LONGEST_LINE; they are added to `taken`, which somebody else clears."""
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        while line := text.readline(LONGEST_LINE):
            if len(line) >= LONGEST_LINE:
                raise BrokenFileError(_("The file has a line of more than a million characters: is it a CSV file?"))
            taken.append(line)
            yield line
    finally:
        if not file.closed:
            text.detach()  # or else the file would be closed with it


def _encoding_of(file: IO[bytes]) -> str:
    head = file.read(HEAD_BYTES)
    if not head.strip():
        raise BrokenFileError(_("The file is empty. Its first row must hold the column names."))
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if head.startswith(SIGNATURE):
        return XLSX
    if head.startswith(_OLD_WORKBOOK):
        raise BrokenFileError(_("This is a workbook of the old kind or with a password: save it as .xlsx without one."))
    if head.count(b"\0") > len(head) // 5:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    return _eight_bit_encoding(file, head)


def _eight_bit_encoding(file: IO[bytes], head: bytes) -> str:
    scripts = Scripts()
    data = head
    while data:
        scripts.look(data)
        data = file.read(HEAD_BYTES)
    found = scripts.encoding()
    if found is None:
        raise BrokenFileError(
            _(
                "The file is neither UTF-8 nor in an encoding that can be told for sure. %(remedy)s",
                remedy=translated(_REMEDY),
            )
        )
    return found


def _delimiter_of(head: bytes, encoding: str) -> str:
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if told := _SEPARATOR_TOLD.fullmatch(first.strip("\ufeff ")):
        return told[1]
    outside = _NOT_DELIMITING.sub("", first)
    return max(DELIMITERS, key=outside.count)
