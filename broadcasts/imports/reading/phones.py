"""Phone numbers as each dialect writes them → one form; what a spreadsheet did to them is counted."""

import re
from collections import Counter
from collections.abc import Callable

from bot import numbering, phone
from broadcasts.imports.reading import damage, fixes
from broadcasts.imports.reading.cells import CellError
from broadcasts.imports.reading.damage import Damage
from broadcasts.imports.reading.dialects import Dialect, PhoneForm
from broadcasts.imports.reading.problems import ProblemKind

_E164 = re.compile(r"\+[1-9][0-9]{4,14}")
_DIGITS = re.compile(r"[0-9]{4,18}")
_ALLOWED = {PhoneForm.PLUS: "a plus sign and 5 to 15 digits", PhoneForm.DIGITS: "4 to 18 digits and no other signs"}
_EXAMPLES = {PhoneForm.PLUS: "+201012345678", PhoneForm.DIGITS: "919876543210", PhoneForm.ANY: "+201012345678"}


def reader(dialect: Dialect, country: str | None, tally: Counter[Damage]) -> Callable[[str], phone.Phone]:
    """Reads the phone cells of one file; raises CellError, with a proposal where one number alone can be meant."""
    form = dialect.phone_form

    def read_form(text: str) -> phone.Phone | None:
        if form is PhoneForm.PLUS:
            return phone.parse(text, None) if _E164.fullmatch(text) else None
        if form is PhoneForm.DIGITS:
            return complete(text, country) if country and _DIGITS.fullmatch(text) else None
        return _any_form(text, country, tally)

    def read_phone(text: str) -> phone.Phone:
        if not text:
            raise CellError(ProblemKind.PHONE_MISSING, f"is empty: write the number, for example {_EXAMPLES[form]}.")
        try:
            if found := read_form(text):
                return found
        except phone.PhoneError as error:
            raise _unusable(form, country, text, str(error), tally) from error
        raise _unusable(form, country, text, None, tally)

    return read_phone


def complete(digits: str, country: str) -> phone.Phone:
    """The country's code is added where it lacks; a number known only with the code it begins with keeps that one."""
    foreign = f"+{digits.removeprefix('00')}"
    try:
        found = phone.parse(digits, country)
    except phone.PhoneError as error:
        if phone.is_assigned(foreign):
            return phone.parse(foreign, None)
        raise error from None
    if found.e164 == foreign or numbering.plain(foreign) is None:
        return found
    if not phone.is_assigned(found.e164) and phone.is_assigned(foreign):
        return phone.parse(foreign, None)
    return found


def _any_form(text: str, country: str | None, tally: Counter[Damage]) -> phone.Phone | None:
    compact = text if text.isascii() and text.isdecimal() else fixes.compact(text)
    if not compact or damage.of_phone(text):
        return None
    if compact.startswith("+"):
        return phone.parse(compact, None)
    if not country:
        return None
    found = complete(compact, country)
    if found.e164 == f"+{compact}":
        tally[Damage.LOST_PLUS] += 1
    elif compact[0] != "0" and numbering.has_trunk_zero(country):
        tally[Damage.LOST_ZERO] += 1
    return found


def _unusable(form: PhoneForm, country: str | None, text: str, reason: str | None, tally: Counter[Damage]) -> CellError:
    """Why a cell is no phone number of the form, told by what came nearest to it."""
    if damaged := damage.of_phone(text):
        tally[damaged[0]] += 1
        whole = damage.unshortened(text)
        return CellError(ProblemKind.DAMAGED, damaged[1], fixes.phone(whole, form, country) if whole else None)
    likely = fixes.phone(text, form, country)
    proposal = None if likely == text else likely
    shown, example = text[:40], _EXAMPLES[form]
    if reason:
        return CellError(ProblemKind.PHONE_INVALID, f"{shown} cannot be used: {reason}.", proposal)
    if form is PhoneForm.PLUS and not text.startswith("+"):
        tally[Damage.LOST_PLUS] += text.isdecimal()
        told = f"{shown} has no plus sign: write plus, country code and number, for example {example}."
        return CellError(ProblemKind.PHONE_FORM, told, proposal)
    if form is not PhoneForm.ANY:
        told = f"{shown} is not written as {_ALLOWED[form]}: for example {example}."
        return CellError(ProblemKind.PHONE_FORM, told, proposal)
    if fixes.compact(text):
        told = f"{shown} does not say its country: choose the country of the list, or write it like {example}."
        return CellError(ProblemKind.PHONE_COUNTRY, told, proposal)
    return CellError(ProblemKind.PHONE_FORM, f"{shown} is not a phone number: write it like {example}.", proposal)
