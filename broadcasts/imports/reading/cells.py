"""Cells of a list other than phone numbers: the text as it is stored, or what is wrong and what it likely means."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from bot.people import fields
from bot.people.fields import LONGEST_NAME, FieldError
from broadcasts.imports.reading import damage, fixes
from broadcasts.imports.reading.dialects import Dialect
from broadcasts.imports.reading.problems import ProblemKind

LONGEST_CELL = 4096

_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_STRIP_INVISIBLE = str.maketrans("", "", _INVISIBLE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_USER_ID = re.compile(r"[A-Za-z0-9_.-]+")
_EMAIL = re.compile(r"[^@\s,;:<>]+@[^@\s,;:<>]+\.[^@\s,;:<>]+")

Reader = Callable[[str], str]


class CellError(ValueError):
    """The text reads on from the column's name; `proposal` is a cell that would do."""

    def __init__(self, kind: ProblemKind, text: str, proposal: str | None = None) -> None:
        super().__init__(text)
        self.kind = kind
        self.proposal = proposal


def clean(cell: str) -> str:
    """Without what nobody can see, at its ends and inside of text that runs from right to left."""
    return cell.translate(_STRIP_INVISIBLE).strip()


def plain(cell: str) -> str:
    """The text of a cell as readers take it; raises CellError for what no column may hold."""
    text = cell.strip() if cell.isascii() else clean(cell)
    if len(text) > LONGEST_CELL or "\0" in text or text[:1] == "#":
        _check(text)
    return text


def _check(text: str) -> None:
    """What no cell may hold, whatever its column; raises CellError."""
    if len(text) > LONGEST_CELL:
        raise CellError(
            ProblemKind.ROW_SHAPE,
            f'is longer than {LONGEST_CELL:,} characters: is a quote (") opened and never closed?',
        )
    if "\0" in text:
        raise CellError(ProblemKind.VALUE, "holds a NUL character, which cannot be seen: type the cell anew.")
    if told := damage.of_cell(text):
        raise CellError(ProblemKind.DAMAGED, told)


def name_reader(dialect: Dialect) -> Callable[[str], str | None]:
    """Reads the cell that says who the row is about."""

    def read_name(text: str) -> str | None:
        if not text and not dialect.names_person:
            return None
        if not text:
            raise CellError(ProblemKind.ID_MISSING, "is empty: every person needs one of their own.")
        if damage.SHORTENED.fullmatch(text):
            told = f"{text} was shortened by a spreadsheet: format the column as text, then enter the id anew."
            raise CellError(ProblemKind.DAMAGED, told, damage.unshortened(text))
        if dialect.names_person and not _USER_ID.fullmatch(text):
            raise CellError(
                ProblemKind.ID_FORM,
                f"{text[:80]} may hold only letters, digits, underscore, hyphen and period: take out the rest.",
            )
        if len(text) > LONGEST_NAME or not text.isprintable():
            told = f"{text[:40]} is longer than {LONGEST_NAME} characters or holds a line break: shorten it."
            raise CellError(ProblemKind.ID_FORM, told)
        return text

    return read_name


def read_email(text: str) -> str:
    if len(text) > LONGEST_NAME or not _EMAIL.fullmatch(text):
        raise CellError(
            ProblemKind.EMAIL,
            f"{text[:80]} is not an e-mail address: correct it or leave the cell empty.",
            fixes.email(text, _EMAIL),
        )
    return text.lower()


def _read_text(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise CellError(ProblemKind.VALUE, f"has {len(text):,} characters: {LONGEST_NAME} are the most.")
    if _CONTROL.search(text):  # a space that does not break is one that people write
        told = "holds a line break or a control character: write it on one line."
        raise CellError(ProblemKind.VALUE, told, fixes.one_line(text))
    return text


def _checked(name: str) -> Reader:
    """As forms and programs have it checked; lists say the same few countries over and over."""

    @lru_cache(maxsize=4096)
    def read_cell(text: str) -> str:
        try:
            return str(fields.column(name, text))
        except FieldError as error:
            told = str(error).removeprefix("This ").removesuffix(".")
            raise CellError(ProblemKind.VALUE, f"{told}, or leave the cell empty.") from None

    return read_cell


COLUMNS: Mapping[str, Reader] = {
    "nickname": _read_text,
    "first_name": _read_text,
    "last_name": _read_text,
    "country": _checked("country"),
    "language": _checked("language"),
    "time_zone": _checked("time_zone"),
}
