"""The one door to phonenumbers: what people type becomes E.164, and forms of one number become one key."""

import functools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneNumberType, ValidationResult
from phonenumbers import timezone as number_zones

from bot import numbering
from bot.language import _, later, translated

_UNREADABLE = {
    NumberParseException.INVALID_COUNTRY_CODE: later("it does not begin with + and a country code"),
    NumberParseException.NOT_A_NUMBER: later("it is not a phone number"),
    NumberParseException.TOO_SHORT_AFTER_IDD: later("it is too short"),
    NumberParseException.TOO_SHORT_NSN: later("it is too short"),
    NumberParseException.TOO_LONG: later("it is too long"),
}
_IMPOSSIBLE = {
    ValidationResult.INVALID_COUNTRY_CODE: later("it does not begin with a known country code"),
    ValidationResult.TOO_SHORT: later("it is too short for its country"),
    ValidationResult.TOO_LONG: later("it is too long for its country"),
    ValidationResult.INVALID_LENGTH: later("its length does not fit its country"),
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: later("its area code is missing"),
}
_MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_MOBILE_VOTE = 2
_NO_REGION = "001"  # what phonenumbers calls a code that belongs to no country, such as +800

_SHORTEST = 5
"""Digits of a number that can be told by its calling code alone."""

_BRAZIL_WITHOUT_9 = re.compile(r"55([1-9]{2})([6-9]\d{7})")
_BRAZIL_WITH_9 = re.compile(r"\+55([1-9]{2})9([6-9]\d{7})")
_MEXICO = re.compile(r"\+52\d{10}")
_MEXICO_WITH_1 = re.compile(r"521(\d{10})")
_REWRITTEN = {"55", "52"}
_ARGENTINA = re.compile(r"\+54(9?)(\d{10})")


class PhoneError(ValueError):
    """Not usable as a phone number; the text is a reason that fits after "because"."""


@dataclass(frozen=True, slots=True)
class Phone:
    """`e164` is the canonical key, +digits; `country` is ISO 3166 alpha-2, or None for codes without a country."""

    e164: str
    country: str | None


def parse(text: str, region: str | None) -> Phone:
    """A number as typed, within `region` (ISO 3166) or, without one, with + and country code; raises PhoneError.

    Checks the length for the country, not the number range: ranges open faster than the library is updated.
    """
    if quick := _parse_digits(text, region):
        return quick
    if any(character.isalpha() for character in text):
        raise PhoneError(_("it holds letters"))
    try:
        typed = phonenumbers.parse(text, region)
        e164 = canonical(phonenumbers.format_number(typed, phonenumbers.PhoneNumberFormat.E164))
        number = phonenumbers.parse(e164)
    except NumberParseException as error:
        raise PhoneError(translated(_UNREADABLE[error.error_type])) from None
    if typed.extension:
        raise PhoneError(_("it holds an extension"))
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict != ValidationResult.IS_POSSIBLE:
        raise PhoneError(translated(_IMPOSSIBLE[verdict]))
    return Phone(e164, country_of(e164))


def _parse_digits(text: str, region: str | None) -> Phone | None:
    """`parse` for numbers that are digits, with a plus or not, and leave no choice: many times quicker, else None."""
    if not text.isascii():
        return None
    if text[:1] == "+":
        e164 = text if text[1:].isdecimal() else None
    else:
        e164 = numbering.completed(text, region) if region and text.isdecimal() else None
    plan = numbering.plain(e164) if e164 else None
    if e164 is None or plan is None or (plan.code in _REWRITTEN and canonical(e164) != e164):
        return None
    return Phone(e164, plan.country or country_of(e164))


@functools.lru_cache(maxsize=16_384)
def canonical(digits: str) -> str:
    """The key under which all forms of a number are the same, +digits; never raises.

    Brazil: mobiles get their ninth digit. Mexico: the old 1 after 52 goes. Argentina's 9 is left to `sibling`.
    """
    bare = re.sub(r"[^0-9]", "", digits)
    if match := _BRAZIL_WITHOUT_9.fullmatch(bare):
        bare = f"55{match[1]}9{match[2]}"
    elif match := _MEXICO_WITH_1.fullmatch(bare):
        bare = f"52{match[1]}"
    return f"+{bare}"


def sibling(key: str) -> str | None:
    """The other key a person may be known under: Argentina with and without 9, which only a look-up can tell apart.

    Without the 9 it may be a landline's own number, so the two are not folded: an exact match goes first.
    """
    match = _ARGENTINA.fullmatch(key)
    return None if match is None else f"+54{'' if match[1] else '9'}{match[2]}"


def former(key: str) -> list[str]:
    """What `canonical` folds into the key: a number of Brazil without its ninth digit, of Mexico with the old 1."""
    if match := _BRAZIL_WITH_9.fullmatch(key):
        return [f"+55{match[1]}{match[2]}"]
    return [f"+521{key.removeprefix('+52')}"] if _MEXICO.fullmatch(key) else []


def national(key: str) -> str | None:
    """The digits that are dialled within the country, without a leading zero; None for what is no number."""
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(key))
    except NumberParseException:
        return None


@functools.lru_cache(maxsize=16_384)
def country_of(e164: str) -> str | None:
    """ISO 3166 alpha-2; of a number in no known range, the main country of its code (+1: US)."""
    regions = _regions_of(e164)
    if len(regions) == 1:
        return None if regions[0] == _NO_REGION else regions[0]
    try:
        number = phonenumbers.parse(e164)
    except NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number)
    if region is None and number.country_code is not None:
        region = phonenumbers.region_code_for_country_code(number.country_code)
    return None if region in {_NO_REGION, phonenumbers.UNKNOWN_REGION} else region


def _regions_of(e164: str) -> tuple[str, ...]:
    """The countries that share the number's calling code: of most codes one, which needs no look at the number."""
    digits = e164.removeprefix("+")
    if not digits.isdecimal() or len(digits) < _SHORTEST:
        return ()
    codes = (int(digits[:length]) for length in range(1, 4))
    return next((COUNTRY_CODE_TO_REGION_CODE[code] for code in codes if code in COUNTRY_CODE_TO_REGION_CODE), ())


def is_assigned(e164: str) -> bool:
    """Whether the number lies in a range the library knows; a hint between two readings, never a reason to refuse."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(e164))
    except NumberParseException:
        return False


def likely_country(numbers: Sequence[str]) -> str | None:
    """The country in which most of these are numbers in use, mobile ones above all; None if none stands out.

    Each is digits as typed, with a plus where it is complete.
    """
    votes: Counter[str | None] = Counter()
    for number in numbers:
        if number.startswith("+"):
            votes[country_of(number)] += _MOBILE_VOTE * is_assigned(number)
            continue
        for region in calling_codes():
            votes[region] += _votes(number, region)
    ranked = [*votes.most_common(2), (None, 0), (None, 0)]
    (best, most), (_, next_most) = ranked[0], ranked[1]
    return best if most > next_most and most * 2 >= len(numbers) * _MOBILE_VOTE else None


def _votes(typed: str, region: str) -> int:
    try:
        number = phonenumbers.parse(typed, region)
    except NumberParseException:
        return 0
    if not phonenumbers.is_valid_number_for_region(number, region):
        return 0
    return _MOBILE_VOTE if phonenumbers.number_type(number) in _MOBILE else 1


@functools.cache
def calling_codes() -> dict[str, int]:
    """Every country (ISO 3166 alpha-2) with its calling code, in alphabetical order."""
    return {region: phonenumbers.country_code_for_region(region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)}


def zones_of(country: str) -> tuple[str, ...]:
    """Time zones in which the likeliest mobile number of a country (ISO 3166 alpha-2) may be."""
    mobile = phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE)
    example = mobile or phonenumbers.example_number(country)
    return () if example is None else tuple(number_zones.time_zones_for_geographical_number(example))
