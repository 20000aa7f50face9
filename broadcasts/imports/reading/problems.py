"""Classes of what can be wrong with a list; pages show them one at a time, the most fundamental first."""

from dataclasses import dataclass
from enum import StrEnum

from bot.language import later


class BrokenFileError(ValueError):
    """The file as a whole cannot be read; the sentence names the place and the remedy."""


class ProblemKind(StrEnum):
    """Declared in the order in which they are best put right."""

    FILE = "file"
    MISSING_COLUMNS = "missing_columns"
    COLUMN_ORDER = "column_order"
    DOUBLE_COLUMNS = "double_columns"
    COLUMN_NAMES = "column_names"
    COLUMN_TYPES = "column_types"
    ROW_SHAPE = "row_shape"
    EXCESS = "excess"
    DAMAGED = "damaged"
    PHONE_MISSING = "phone_missing"
    PHONE_FORM = "phone_form"
    PHONE_COUNTRY = "phone_country"
    PHONE_INVALID = "phone_invalid"
    ID_MISSING = "id_missing"
    ID_FORM = "id_form"
    CONFLICT = "conflict"
    ERASED = "erased"
    EMAIL = "email"
    TYPE = "type"
    VALUE = "value"

    @property
    def label(self) -> str:
        return _TOLD[self].label

    @property
    def remedy(self) -> str:
        return _TOLD[self].remedy

    @property
    def rank(self) -> int:
        """0 is the most fundamental."""
        return _RANK[self]


@dataclass(frozen=True, slots=True)
class _Told:
    label: str
    remedy: str


_TOLD = {
    ProblemKind.FILE: _Told(
        later("The file cannot be read"), later("Save it as “CSV UTF-8” or .xlsx and upload it again.")
    ),
    ProblemKind.MISSING_COLUMNS: _Told(
        later("Columns are missing"), later("The first row must hold the column names: add them.")
    ),
    ProblemKind.COLUMN_ORDER: _Told(
        later("Columns stand in another order"), later("Put the predefined columns first, in their order.")
    ),
    ProblemKind.DOUBLE_COLUMNS: _Told(
        later("Several columns mean the same"), later("Keep one of them, rename or delete the others.")
    ),
    ProblemKind.COLUMN_NAMES: _Told(
        later("Column names that cannot be used"), later("Use letters, digits, underscore, hyphen and period.")
    ),
    ProblemKind.COLUMN_TYPES: _Told(
        later("Columns of another type than before"),
        later("Write the type the attribute has, or give the column another name."),
    ),
    ProblemKind.ROW_SHAPE: _Told(
        later("Rows that do not fit the header"),
        later("Put quotes around cells that hold the delimiter, and close every quote."),
    ),
    ProblemKind.EXCESS: _Told(
        later("Rows above the limit of a file"), later("Upload them in another file; it is ready to download.")
    ),
    ProblemKind.DAMAGED: _Told(
        later("Cells that a spreadsheet damaged"),
        later("Format the column as text in the spreadsheet, then enter the cells anew."),
    ),
    ProblemKind.PHONE_MISSING: _Told(
        later("Rows without a phone number"), later("Write the number, or delete the row.")
    ),
    ProblemKind.PHONE_FORM: _Told(
        later("Phone numbers written in another way"),
        later("Write them as the file's kind asks, or choose the kind “auto”."),
    ),
    ProblemKind.PHONE_COUNTRY: _Told(
        later("Phone numbers without a country"),
        later("Choose the country of the list, or write + and the country code."),
    ),
    ProblemKind.PHONE_INVALID: _Told(
        later("Numbers that do not exist"), later("Compare them with where they came from.")
    ),
    ProblemKind.ID_MISSING: _Told(later("Rows without a user id"), later("Give every person one of their own.")),
    ProblemKind.ID_FORM: _Told(
        later("User ids that cannot be used"), later("Use letters, digits, underscore, hyphen and period.")
    ),
    ProblemKind.CONFLICT: _Told(
        later("Rows that contradict people we know"),
        later("One number is one person: correct the id, the number or the e-mail."),
    ),
    ProblemKind.ERASED: _Told(
        later("People erased at their own wish"), later("Nothing: they are not written to again.")
    ),
    ProblemKind.EMAIL: _Told(later("E-mail addresses that are none"), later("Correct them, or leave the cells empty.")),
    ProblemKind.TYPE: _Told(
        later("Cells of another type than their column"), later("Write them as the column's type asks.")
    ),
    ProblemKind.VALUE: _Told(later("Cells that cannot be used"), later("Correct them, or leave them empty.")),
}

_RANK = {kind: rank for rank, kind in enumerate(ProblemKind)}
