"""The XML inside a workbook, read as a stream and within bounds: no entities, no endless names, no endless nesting."""

import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol
from xml.parsers import expat

from bot.language import _, later, translated
from broadcasts.imports.reading.problems import BrokenFileError

REMEDY = later("Open it in the spreadsheet program, save it as .xlsx or as “CSV UTF-8”, and upload it again.")

_PIECE = 64 * 1024
_LONGEST_TOKEN = 1024 * 1024
_DEEPEST = 100


class Reader(Protocol):
    def start(self, name: str, attributes: dict[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def text(self, data: str) -> None: ...


def parse(source: IO[bytes], reader: Reader) -> Iterator[None]:
    """Feed a part to a reader piece by piece, and stop after each for what it has found; raises BrokenFileError."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    fed = 0
    while True:
        try:
            data = source.read(_PIECE)
            parser.Parse(data, not data)
        except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise BrokenFileError(_("The workbook is damaged. %(remedy)s", remedy=translated(REMEDY))) from error
        fed += len(data)
        if fed - parser.CurrentByteIndex > _LONGEST_TOKEN:
            raise BrokenFileError(
                _(
                    "The workbook holds something of more than a million characters. %(remedy)s",
                    remedy=translated(REMEDY),
                )
            )
        yield
        if not data:
            return


def _refuse_doctype(*_declared: object) -> None:
    raise BrokenFileError(
        _("The workbook declares entities, which no spreadsheet program does. %(remedy)s", remedy=translated(REMEDY))
    )


class Elements:
    """A reader of small parts: calls `take` with each element's path of local names and its attributes."""

    def __init__(self, take: Callable[[tuple[str, ...], dict[str, str]], Any]) -> None:
        self._take = take
        self._path: tuple[str, ...] = ()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= _DEEPEST:
            raise BrokenFileError(
                _(
                    "The workbook is nested more than %(deepest)s deep. %(remedy)s",
                    deepest=_DEEPEST,
                    remedy=translated(REMEDY),
                )
            )
        self._path = (*self._path, local(name))
        self._take(self._path, attributes)

    def end(self, name: str) -> None:  # noqa: ARG002 (the one that was opened last)
        self._path = self._path[:-1]

    def text(self, data: str) -> None:
        pass


class Texts:
    """The workbook's shared texts, unpacked as far as somebody asks, in one block that takes little more than them."""

    def __init__(self, source: IO[bytes] | None, most_bytes: int) -> None:
        self._block = bytearray()
        self._ends = array("Q", [0])
        self._most = most_bytes
        self._is_text = False
        self._depth = self._phonetic = 0
        self._feed = iter(()) if source is None else parse(source, self)

    def __getitem__(self, place: int) -> str:
        while place + 1 >= len(self._ends):
            try:
                next(self._feed)
            except StopIteration:
                raise BrokenFileError(
                    _(
                        "The workbook is damaged: a cell's text (number %(place)s) is missing. %(remedy)s",
                        place=place,
                        remedy=translated(REMEDY),
                    )
                ) from None
        return self._block[self._ends[place] : self._ends[place + 1]].decode()

    def start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 (as expat calls it)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BrokenFileError(
                _(
                    "The workbook is nested more than %(deepest)s deep. %(remedy)s",
                    deepest=_DEEPEST,
                    remedy=translated(REMEDY),
                )
            )
        word = local(name)
        self._phonetic += word == "rPh"
        self._is_text = word == "t" and not self._phonetic

    def text(self, data: str) -> None:
        if self._is_text:
            self._block += data.encode()

    def end(self, name: str) -> None:
        self._depth -= 1
        word = local(name)
        self._phonetic -= word == "rPh"
        self._is_text = False
        if word == "si":
            self._ends.append(len(self._block))
            if len(self._block) + 8 * len(self._ends) > self._most:
                raise BrokenFileError(_("The workbook holds more text than fits: split it, or save it as “CSV UTF-8”."))


def local(name: str) -> str:
    """An element's name without the prefix of its namespace."""
    return name.rpartition(":")[2]
