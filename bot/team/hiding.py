"""Hides contact in what leaves for one reader: texts, and the values of JSON."""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import ARRAY, Text, func, literal, select

from bot import phone
from bot.models.connection import Number
from bot.models.person import Address
from bot.models.words import AddressKind, Environment
from bot.runtime import Runtime
from bot.team.masking import masked

Hide = Callable[[str], str]
_REMEMBERED = 50_000
"""Runs of digits, for one answer."""


def hider(rt: Runtime, keep: Collection[str] = ()) -> Hide:
    """The business's own numbers stay, which are no secret to its team; numbers in digits alone are asked for.

    Any digits could be a number. So they are looked up: as they stand, and within the countries of our own numbers.
    """
    with rt.transaction() as tx:
        ours = frozenset(tx.scalars(select(Number.phone)))
    codes = {str(code) for own in ours if (code := phone.calling_codes().get(phone.country_of(own) or ""))}
    asked: dict[str, bool] = {}

    def somebodys(runs: Collection[str]) -> Collection[str]:
        if len(asked) > _REMEMBERED:  # a file of a million rows holds more
            asked.clear()
        spellings = {run: _spellings(run, codes) for run in runs if run not in asked}
        wanted = [each for found in spellings.values() for each in found]
        with rt.transaction() as tx:
            there = set(tx.scalars(_among(wanted))) if wanted else set()
        asked.update({run: any(each in there and each not in ours for each in s) for run, s in spellings.items()})
        return [run for run in runs if asked[run]]

    return lambda text: masked(text, {*ours, *keep}, somebodys)


def everywhere(value: Any, hide: Hide) -> Any:  # noqa: ANN401 (whatever JSON can hold)
    """Names of fields too: an answer may be keyed by what somebody is reached by."""
    match value:
        case str():
            return hide(value)
        case dict():
            return {hide(name): everywhere(each, hide) for name, each in value.items()}
        case list():
            return [everywhere(each, hide) for each in value]
    return value


def _spellings(run: str, codes: Collection[str]) -> list[str]:
    return [f"+{run.removeprefix('00')}", *(f"+{code}{run.removeprefix('0')}" for code in codes)]


def _among(wanted: Collection[str]) -> Any:  # noqa: ANN401 (a select of texts)
    here = Address.environment.in_(list(Environment)), Address.kind == AddressKind.PHONE
    return select(Address.value).where(*here, Address.value == func.any(literal(list(wanted), ARRAY(Text))))
