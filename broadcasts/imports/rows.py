"""One record of a list → a person as the list wants them, or the comment that goes back to whoever made the list."""

import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from bot import phone
from broadcasts.imports.dialects import Column, Dialect
from broadcasts.imports.reader import Record

LONGEST_CELL = 4096

_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_STRIP_INVISIBLE = str.maketrans("", "", _INVISIBLE)
_SHORTENED = re.compile(r"\+?\d+(?:[.,]\d+)?[eE]\+?\d+")
_USER_ID = re.compile(r"[A-Za-z0-9_.-]+")
_E164 = re.compile(r"\+[1-9][0-9]{4,14}")
_DIGITS = re.compile(r"[0-9]{4,18}")


@dataclass(slots=True)
class Wanted:
    """What a row says; blank cells are not in it. `phone` is the canonical form."""

    row: int
    cells: Sequence[str]
    phone: str
    country: str | None
    distinct_id: str | None = None
    email: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Target to the column's name in this file, for comments."""
    blank: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    row: int
    cells: Sequence[str]
    comment: str
    column: int | None = None
    kind: str | None = None
    proposal: Mapping[str, str] | None = None


class _CellError(ValueError):
    pass


class RowReader:
    """Reads the records of one file: `read` never raises."""

    def __init__(self, dialect: Dialect, country: str | None, layout: Sequence[Column | None]) -> None:
        self._dialect = dialect
        self._country = country
        self._layout = layout
        self._headers = {column.target: column.header for column in layout if column is not None}

    def read(self, record: Record) -> Wanted | Rejected:
        """All comments of a row at once, so that one round of corrections is enough."""
        if record.problem:
            return Rejected(record.row, record.cells, record.problem)
        extra = len(record.cells) - len(self._layout)
        if extra > 0 and any(cell.strip() for cell in record.cells[-extra:]):
            comment = (
                f"The row has {len(record.cells):,} cells and the header {len(self._layout)}: "
                "put quotes around a cell that holds the delimiter."
            )
            return Rejected(record.row, record.cells, comment)
        return self._read_cells(record)

    def _read_cells(self, record: Record) -> Wanted | Rejected:
        wanted = Wanted(record.row, record.cells, "", None, headers=self._headers)
        comments = []
        for column, cell in zip(self._layout, record.cells, strict=False):  # a short row lacks its last, blank cells
            if column is not None:
                try:
                    self._read_cell(wanted, column, cell)
                except _CellError as error:
                    comments.append(f"{column.header} {error}")
        comments += [f"{header} is missing from this row." for header in self._absent(record)]
        return Rejected(record.row, record.cells, " ".join(comments)) if comments else wanted

    def _absent(self, record: Record) -> list[str]:
        """Required columns that a short row does not reach."""
        beyond = self._layout[len(record.cells) :]
        needed = {"phone", "distinct_id"} if self._dialect.names_person else {"phone"}
        return [column.header for column in beyond if column is not None and column.target in needed]

    def _read_cell(self, wanted: Wanted, column: Column, cell: str) -> None:
        text = cell.translate(_STRIP_INVISIBLE).strip()
        if len(text) > LONGEST_CELL:
            raise _CellError(f'is longer than {LONGEST_CELL:,} characters: is a quote (") opened and never closed?')
        if "\0" in text:
            raise _CellError("holds a NUL character, which cannot be seen: type the cell anew.")
        if column.target == "phone":
            found = _read_phone(self._dialect, self._country, text)
            wanted.phone, wanted.country = found.e164, found.country
        elif column.target == "distinct_id":
            wanted.distinct_id = _read_name(self._dialect, text)
        elif text and column.is_attribute:
            wanted.attributes[column.target] = text
        elif text and column.target == "email":
            wanted.email = _read_email(text)
        elif text:
            read = _READERS.get(column.target)
            wanted.columns[column.target] = read(text) if read else text


def _read_phone(dialect: Dialect, country: str | None, text: str) -> phone.Phone:
    example = "+201012345678" if dialect.has_plus else "919876543210"
    if not text:
        raise _CellError(f"is empty: write the number, for example {example}.")
    if _SHORTENED.fullmatch(text):
        raise _CellError(
            f"{text} was shortened by a spreadsheet: format the column as text, then enter the number anew."
        )
    if dialect.has_plus and not text.startswith("+"):
        raise _CellError(f"{text[:40]} has no plus sign: write plus, country code and number, for example {example}.")
    if not (_E164 if dialect.has_plus else _DIGITS).fullmatch(text):
        allowed = "a plus sign and 5 to 15 digits" if dialect.has_plus else "4 to 18 digits and no other signs"
        raise _CellError(f"{text[:40]} is not written as {allowed}: for example {example}.")
    try:
        return _parse_digits(text, country) if country else phone.parse(text, None)
    except phone.PhoneError as error:
        raise _CellError(f"{text} cannot be used: {error}.") from error


def _parse_digits(text: str, country: str) -> phone.Phone:
    """The country's code is added where it lacks; a number known only with the code it begins with keeps that one."""
    foreign = f"+{text.removeprefix('00')}"
    try:
        found = phone.parse(text, country)
    except phone.PhoneError as error:
        if phone.is_assigned(foreign):
            return phone.parse(foreign, None)
        raise error from None
    if not phone.is_assigned(found.e164) and phone.is_assigned(foreign):
        return phone.parse(foreign, None)
    return found


def _read_name(dialect: Dialect, text: str) -> str | None:
    if not text and not dialect.names_person:
        return None
    if not text:
        raise _CellError("is empty: every person needs one of their own.")
    if dialect.names_person and not _USER_ID.fullmatch(text):
        raise _CellError(
            f"{text[:80]} may hold only letters, digits, underscore, hyphen and period: take out the rest."
        )
    return text


def _read_email(text: str) -> str:
    if not re.fullmatch(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+", text):
        raise _CellError(f"{text[:80]} is not an e-mail address: correct it or leave the cell empty.")
    return text.lower()


def _read_country(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise _CellError(f"{text[:40]} is not a country code of two letters, such as EG: correct it or leave it empty.")
    return text.upper()


def _read_language(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8})*", text):
        raise _CellError(f"{text[:40]} is not a language code, such as en or pt_BR: correct it or leave it empty.")
    return text


def _read_time_zone(text: str) -> str:
    if text not in _time_zones():
        raise _CellError(f"{text[:40]} is not a time zone, such as Africa/Cairo: correct it or leave it empty.")
    return text


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


_READERS: dict[str, Callable[[str], str]] = {
    "country": _read_country,
    "language": _read_language,
    "time_zone": _read_time_zone,
}
