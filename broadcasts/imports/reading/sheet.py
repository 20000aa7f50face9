"""The rows of one sheet: cells by their place, each as the text a CSV file would hold for it."""

import re
from collections.abc import Sequence

from bot.language import _, figure, translated
from broadcasts.imports.reading import styles
from broadcasts.imports.reading.parts import REMEDY, Texts
from broadcasts.imports.reading.problems import BrokenFileError

Row = tuple[int, list[str]]

_WIDEST = 1_000
_LONGEST_ROW = 1024 * 1024
_DEEPEST = 100
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TRUTH = {"1": "true", "0": "false", "true": "true", "false": "false"}


class SheetRows:
    """Reads what the parser finds in a sheet; `take` hands over the rows that are complete."""

    def __init__(self, texts: Texts, looks: Sequence[styles.Look | str | None], *, is_1904: bool) -> None:
        self._texts = texts
        self._looks = looks
        self._is_1904 = is_1904
        self._done: list[Row] = []
        self._places: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._number = self._size = self._depth = self._next = self._phonetic = 0
        self._cells: list[str] | None = None
        self._cell: dict[str, str] | None = None
        self._value: list[str] = []
        self._is_value = False

    def take(self) -> list[Row]:
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        word = self._names.get(name) or self._names.setdefault(name, name.rpartition(":")[2])
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BrokenFileError(
                _(
                    "The sheet is nested more than %(deepest)s deep. %(remedy)s",
                    deepest=_DEEPEST,
                    remedy=translated(REMEDY),
                )
            )
        if word == "c":
            self._cell, self._value = attributes, []
        elif word == "v" or (word == "t" and not self._phonetic):
            self._is_value = self._cell is not None
        elif word == "row":
            number = attributes.get("r", "")
            self._number = max(self._number + 1, int(number) if number.isdecimal() and len(number) < 9 else 0)
            self._cells, self._size, self._next = [], 0, 0
        elif word == "rPh":
            self._phonetic += 1

    def text(self, data: str) -> None:
        if self._is_value:
            self._size += len(data)
            if self._size > _LONGEST_ROW:
                raise BrokenFileError(
                    _("Row %(number)s of the sheet has more than a million characters.", number=self._number)
                )
            self._value.append(data)

    def end(self, name: str) -> None:
        word = self._names[name]
        self._depth -= 1
        if word == "c":
            if self._cell is not None and self._cells is not None:
                self._end_cell(self._cell, self._cells)
            self._cell = None
        elif word in {"v", "t"}:
            self._is_value = False
        elif word == "row":
            if self._cells and any(cell.strip() for cell in self._cells):
                self._done.append((self._number, self._cells))
            self._cells = None
        elif word == "rPh":
            self._phonetic -= 1

    def _end_cell(self, cell: dict[str, str], cells: list[str]) -> None:
        place = self._place(cell.get("r"))
        self._next = place + 1
        if not self._value:
            return
        text = self._shown(cell, "".join(self._value))
        if place < len(cells):
            cells[place] = text
            return
        if place >= _WIDEST:
            raise BrokenFileError(
                _(
                    "Row %(number)s of the sheet has cells beyond column %(widest)s: delete all that is no list.",
                    number=self._number,
                    widest=figure(_WIDEST),
                )
            )
        cells.extend([""] * (place - len(cells)))
        cells.append(text)

    def _place(self, reference: str | None) -> int:
        """From 0; a cell without a reference follows the one before it."""
        if reference is None:
            return self._next
        letters = reference.rstrip("0123456789")
        place = self._places.get(letters)
        if place is None:
            place = 0
            for letter in letters[:4].upper():
                place = place * 26 + ord(letter) - 64
            place -= 1
            if not place >= 0 or len(self._places) > 20_000:
                raise BrokenFileError(
                    _(
                        "The workbook is damaged: row %(number)s has a cell of no column. %(remedy)s",
                        number=self._number,
                        remedy=translated(REMEDY),
                    )
                )
            self._places[letters] = place
        return place

    def _shown(self, cell: dict[str, str], raw: str) -> str:
        match cell.get("t", "n"):
            case "s":
                text = self._texts[int(raw)] if raw.isdecimal() and len(raw) < 10 else raw
                self._size += len(text)
                if self._size > _LONGEST_ROW:
                    raise BrokenFileError(
                        _("Row %(number)s of the sheet has more than a million characters.", number=self._number)
                    )
                return _unescaped(text)
            case "inlineStr" | "str":
                return _unescaped(raw)
            case "b":
                return _TRUTH.get(raw, raw)
            case "d":
                return raw.removesuffix("T00:00:00")
            case "n":
                style = cell.get("s", "")
                look = self._looks[int(style)] if style.isdecimal() and int(style) < len(self._looks) else None
                return styles.shown(raw, look, is_1904=self._is_1904)
        return raw


def _unescaped(text: str) -> str:
    """Control characters, which XML cannot hold, are written as _x000D_."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text
