"""CSV bytes → numbered records, streamed: which encoding and delimiter, and every way a file can be broken."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from bot.sheets import unguard

LONGEST_LINE = 1024 * 1024
HEAD_BYTES = 64 * 1024

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_FOREIGN_RUN = re.compile(rb"[\x80-\xff]+")
_REMEDY = "Save it as “CSV UTF-8” and upload it again."


class BrokenFileError(ValueError):
    """The file as a whole cannot be read; the sentence names the place and the remedy."""


@dataclass(frozen=True, slots=True)
class Shape:
    encoding: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the table; `row` counts as a spreadsheet does, from 1. `problem` is set where it cannot be read."""

    row: int
    cells: list[str]
    problem: str | None = None


def shape_of(open_file: Callable[[], BinaryIO]) -> Shape:
    """Encoding and delimiter, from all of the file; raises BrokenFileError if it is empty or in no known encoding."""
    with open_file() as file:
        encoding = _encoding_of(file)
    with open_file() as file:
        return Shape(encoding, _delimiter_of(file.read(HEAD_BYTES), encoding))


def records(file: BinaryIO, shape: Shape) -> Iterator[Record]:
    """Every record that is not blank, a malformed one with its `problem`; raises BrokenFileError if it cannot go on."""
    lines = _Lines(file, shape.encoding)
    table = csv.reader(lines, delimiter=shape.delimiter, strict=True)
    row = 0
    while True:
        row += 1
        lines.taken.clear()
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            yield _malformed(row, lines.taken, str(error))
            continue
        except UnicodeDecodeError as error:
            raise BrokenFileError(f"Row {row} holds bytes that are not {shape.encoding}. {_REMEDY}") from error
        if any(cell.strip() for cell in cells):
            yield Record(row, [unguard(cell) for cell in cells])


def _malformed(row: int, taken: list[str], error: str) -> Record:
    if "unexpected end of data" in error or "field larger" in error:
        raise BrokenFileError(f'Row {row}: a quote (") is opened and never closed. Close it, or delete it.')
    problem = 'The quotes in this row do not match: write a quote inside a quoted cell twice ("").'
    return Record(row, ["".join(taken).rstrip("\r\n")], problem)


class _Lines:
    """Decoded lines, none longer than LONGEST_LINE, and those taken since somebody last cleared `taken`."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._text = io.TextIOWrapper(file, encoding=encoding, newline="")
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) >= LONGEST_LINE:
            raise BrokenFileError("The file has a line of more than a million characters: is it a CSV file?")
        self.taken.append(line)
        return line


def _encoding_of(file: BinaryIO) -> str:
    head = file.read(HEAD_BYTES)
    if not head.strip():
        raise BrokenFileError("The file is empty. Its first row must hold the column names.")
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if head[:4] == b"PK\x03\x04":
        raise BrokenFileError(f"This is a workbook or a zip file, not a CSV file. {_REMEDY}")
    if head.count(b"\0") > len(head) // 5:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    return _eight_bit_encoding(file, head)


def _eight_bit_encoding(file: BinaryIO, head: bytes) -> str:
    """UTF-8 if every byte fits it, else Windows-1252 unless the text looks like another script."""
    decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    foreign = runs = 0
    data = head
    while data:
        if decoder is not None:
            try:
                decoder.decode(data)
            except UnicodeDecodeError:
                decoder = None
        found = _FOREIGN_RUN.findall(data)
        runs += len(found)
        foreign += sum(map(len, found))
        data = file.read(HEAD_BYTES)
    if decoder is not None and not decoder.getstate()[0]:
        return "utf-8"
    # In Western words accented letters stand alone; whole words of them are Arabic, Cyrillic, Greek …
    if foreign > 1.5 * runs:
        raise BrokenFileError(f"The file is neither UTF-8 nor Western (Windows-1252) text. {_REMEDY}")
    return "cp1252"


def _delimiter_of(head: bytes, encoding: str) -> str:
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)
