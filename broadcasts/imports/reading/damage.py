"""What spreadsheet programs do to cells: numbers shortened, pluses and zeros lost, formulas that failed."""

import re
from enum import StrEnum

SHORTENED = re.compile(r"([+-]?)(\d)(?:[.,](\d+))?[eE]\+?(\d{1,3})", re.ASCII)
_DATE_LIKE = re.compile(
    r"(?:19|20)\d\d-\d\d-\d\d(?:[T ].*)?|\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2}-[A-Za-z]{3}(?:-\d{2,4})?|[A-Za-z]{3}-\d\d",
    re.ASCII,
)
_FAILED = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})


class Damage(StrEnum):
    """What a list has suffered; the counts of `findings` are by these words."""

    ROUNDED = "rounded"
    LOST_PLUS = "lost_plus"
    LOST_ZERO = "lost_zero"
    DATES = "dates"
    FORMULAS = "formulas"


def of_cell(text: str) -> str | None:
    """Why no cell may hold this text, as what follows the column's name, or None."""
    if text in _FAILED:
        return f"{text} is a formula that failed: put the value there instead of the formula."
    return None


def of_phone(text: str) -> tuple[Damage, str] | None:
    """What a spreadsheet made of a phone number, with what to do, or None."""
    if SHORTENED.fullmatch(text):
        return (
            Damage.ROUNDED,
            f"{text} was shortened by a spreadsheet: format the column as text, then enter the number anew.",
        )
    if _DATE_LIKE.fullmatch(text):
        return (
            Damage.DATES,
            f"{text} was taken for a date by a spreadsheet: format the column as text, then enter the number anew.",
        )
    return None


def unshortened(text: str) -> str | None:
    """2.01012345678E+11 → 201012345678, if none of its digits is lost; 9.2E+11 is nobody's number any more."""
    match = SHORTENED.fullmatch(text)
    if match is None:
        return None
    first, rest, power = match[2], match[3] or "", int(match[4])
    return f"{first}{rest}" if len(rest) == power else None
