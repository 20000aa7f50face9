"""An .xlsx workbook as a bounded stream of rows; what is in the zip is looked at before any of it is unpacked."""

import posixpath
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import IO

from bot.language import _, figure, translated
from broadcasts.imports.reading import styles
from broadcasts.imports.reading.parts import REMEDY, Elements, Texts, parse
from broadcasts.imports.reading.problems import BrokenFileError
from broadcasts.imports.reading.sheet import Row, SheetRows

SIGNATURE = b"PK\x03\x04"

_MOST_PARTS = 5_000
_LARGEST_PART = 1024 * 1024 * 1024
_LARGEST_OUTLINE = 32 * 1024 * 1024
"""Of a part that is not a sheet and not its texts."""
_MOST_TEXT = 128 * 1024 * 1024
_LARGEST_RATIO = 100
"""Sheets pack to a tenth or a thirtieth; what packs better than this was made to burst."""
_RATIO_FROM = 4 * 1024 * 1024
_MOST_SHEETS = 100
_MOST_STYLES = 65_536
_BOOK, _TEXTS = "xl/workbook.xml", "xl/sharedstrings.xml"

Take = Callable[[tuple[str, ...], dict[str, str]], None]


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    part: str


class Workbook:
    """An open workbook; raises BrokenFileError for whatever is wrong with it, and tells what would be right."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise BrokenFileError(
                _(
                    "This is a workbook or a zip file, and it was cut off or damaged. %(remedy)s",
                    remedy=translated(REMEDY),
                )
            ) from error
        infos = self._zip.infolist()
        if len(infos) > _MOST_PARTS:
            raise BrokenFileError(
                _(
                    "The workbook has more than %(most_parts)s parts. %(remedy)s",
                    most_parts=figure(_MOST_PARTS),
                    remedy=translated(REMEDY),
                )
            )
        self._infos = {info.filename.replace("\\", "/").lstrip("/").casefold(): info for info in infos}
        if _BOOK not in self._infos:
            raise BrokenFileError(
                _(
                    "This is a zip file and no .xlsx workbook: unpack it, or save it anew. %(remedy)s",
                    remedy=translated(REMEDY),
                )
            )
        self.is_1904 = False
        self.sheets = self._find_sheets()[:_MOST_SHEETS]
        """Those that can be seen, in their order."""
        if not self.sheets:
            raise BrokenFileError(_("The workbook has no sheet with cells. %(remedy)s", remedy=translated(REMEDY)))

    def rows(self) -> Iterator[Row]:
        """Number and cells of each row that is not blank, of the first sheet that has any."""
        for sheet in self.sheets:
            found = self._rows_of(sheet)
            if first := next(found, None):
                yield first
                yield from found
                return

    def left_out(self) -> list[str]:
        """Names of further sheets that hold something and are not read."""
        return [sheet.name for sheet in self.sheets if next(self._rows_of(sheet), None)][1:]

    def _rows_of(self, sheet: Sheet) -> Iterator[Row]:
        with ExitStack() as stack:
            texts = stack.enter_context(self._open(_TEXTS, _LARGEST_PART)) if _TEXTS in self._infos else None
            reading = SheetRows(Texts(texts, _MOST_TEXT), self._looks(), is_1904=self.is_1904)
            for _ in parse(stack.enter_context(self._open(sheet.part, _LARGEST_PART)), reading):
                yield from reading.take()

    def _find_sheets(self) -> list[Sheet]:
        parts: dict[str, str] = {}
        found: list[tuple[str, str]] = []

        def take_relation(_: tuple[str, ...], attributes: dict[str, str]) -> None:
            if attributes.get("Type", "").endswith("/worksheet"):
                parts[attributes.get("Id", "")] = attributes.get("Target", "")

        def take_book(path: tuple[str, ...], attributes: dict[str, str]) -> None:
            if path[-1] == "workbookPr":
                self.is_1904 = attributes.get("date1904") in {"1", "true"}
            elif path[-2:] == ("sheets", "sheet") and attributes.get("state", "visible") == "visible":
                key = next((attributes[name] for name in attributes if name.endswith(":id")), "")
                found.append((attributes.get("name", ""), key))

        self._read("xl/_rels/workbook.xml.rels", take_relation)
        self._read(_BOOK, take_book)
        located = [(name, posixpath.normpath(posixpath.join("/xl", parts[key]))) for name, key in found if key in parts]
        return [Sheet(name, part.lstrip("/").casefold()) for name, part in located]

    def _looks(self) -> list[styles.Look | str | None]:
        """How each style of the workbook shows a number."""
        codes: dict[str, str] = {}
        numbers: list[str] = []

        def take(path: tuple[str, ...], attributes: dict[str, str]) -> None:
            if path[-1] == "numFmt":
                codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            elif path[-2:] == ("cellXfs", "xf") and len(numbers) < _MOST_STYLES:
                numbers.append(attributes.get("numFmtId", "0"))

        if "xl/styles.xml" in self._infos:
            self._read("xl/styles.xml", take)
        return [styles.look_of(int(each) if each.isdecimal() else 0, codes.get(each)) for each in numbers]

    def _read(self, part: str, take: Take) -> None:
        with closing(self._open(part, _LARGEST_OUTLINE)) as source:
            for _ in parse(source, Elements(take)):
                pass

    def _open(self, part: str, largest: int) -> IO[bytes]:
        """A part that is neither too large nor packed like a bomb."""
        info = self._infos.get(part)
        if info is None:
            raise BrokenFileError(
                _("The workbook is damaged: it lacks %(part)s. %(remedy)s", part=part, remedy=translated(REMEDY))
            )
        if info.file_size > largest:
            raise BrokenFileError(
                _(
                    "The workbook unpacks to more than %(largest)s MiB: split it, or save it as CSV.",
                    largest=figure(largest // 1024**2),
                )
            )
        if info.file_size > max(_RATIO_FROM, _LARGEST_RATIO * info.compress_size):
            raise BrokenFileError(
                _(
                    "The workbook unpacks to more than %(largest_ratio)s times its size: no list does. %(remedy)s",
                    largest_ratio=_LARGEST_RATIO,
                    remedy=translated(REMEDY),
                )
            )
        try:
            return self._zip.open(info)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
            raise BrokenFileError(
                _("The workbook is damaged or protected by a password. %(remedy)s", remedy=translated(REMEDY))
            ) from error
