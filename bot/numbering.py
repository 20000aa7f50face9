"""What of the world's numbering plans decides on numbers that are digits alone and leave no choice."""

import functools
import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_CODES = frozenset(map(str, COUNTRY_CODE_TO_REGION_CODE))
_NO_COUNTRY = "001"


@dataclass(frozen=True, slots=True)
class Plan:
    code: str
    country: str | None
    """ISO 3166 alpha-2, if the code is one country's alone."""
    lengths: frozenset[int]
    trunk: str | None
    """The prefix of calls within the country, such as 0, where it is as simple as that."""
    rewritten: re.Pattern[str] | None
    """Numbers whose beginning phonenumbers might take off or change."""
    abroad: re.Pattern[str] | None
    """What comes before a foreign country code, such as 00."""

    def takes(self, national: str) -> bool:
        return len(national) in self.lengths and not (self.rewritten and self.rewritten.match(national))


def plain(e164: str) -> Plan | None:
    """The plan of +digits with a known calling code and a length that is right, if nothing in them is a prefix."""
    for end in (3, 4, 2):
        if e164[1:end] in _CODES:
            plan = _main_plan(e164[1:end])
            return plan if plan is not None and plan.takes(e164[end:]) else None
    return None


def completed(digits: str, region: str) -> str | None:
    """E.164 of a number typed in a country, if there is one way to read it."""
    plan = _plan(phonenumbers.country_code_for_region(region), region)
    if plan is None or not plan.lengths or (plan.abroad and plan.abroad.match(digits)):
        return None
    if digits.startswith(plan.code):
        return f"+{digits}" if len(digits) > max(plan.lengths) else None
    if plan.trunk and digits.startswith(plan.trunk):
        return f"+{plan.code}{digits[len(plan.trunk) :]}" if len(digits) > max(plan.lengths) else None
    return f"+{plan.code}{digits}" if plan.takes(digits) else None


def has_trunk_zero(region: str) -> bool:
    """Whether people of the country write a 0 first, which spreadsheets drop."""
    plan = _plan(phonenumbers.country_code_for_region(region), region)
    return plan is not None and plan.trunk == "0"


@functools.cache
def _main_plan(code: str) -> Plan | None:
    return _plan(int(code), phonenumbers.region_code_for_country_code(int(code)))


@functools.cache
def _plan(code: int, region: str) -> Plan | None:
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None or metadata.general_desc is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    is_simple = prefix is not None and prefix.isdecimal() and not metadata.national_prefix_transform_rule
    countries = COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    return Plan(
        str(code),
        countries[0] if len(countries) == 1 and countries[0] != _NO_COUNTRY else None,
        frozenset(metadata.general_desc.possible_length),
        prefix if is_simple else None,
        re.compile(prefix) if prefix else None,
        re.compile(metadata.international_prefix) if metadata.international_prefix else None,
    )
