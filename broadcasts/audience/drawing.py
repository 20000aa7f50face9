"""Lots: which wave, which variant and whether at all is drawn for each of an audience, the same however often asked.

The lots are hexadecimal digits of md5(broadcast:person): as even as chance, and nobody's depends on who else is there.
"""

from sqlalchemy import BigInteger, ColumnElement, SmallInteger, case, cast, func, literal
from sqlalchemy.dialects.postgresql import BIT

from bot.language import later
from bot.models.broadcast import Broadcast
from bot.models.person import Person
from broadcasts.audience.waves import CANARY, REST, TRIAL

HELD_OUT = later("held out, to compare with those who get it")

_DIGITS = 7
_LOTS: int = 16**_DIGITS
_HOLDOUT, _WAVE, _VARIANT = range(3)


def is_held_out(broadcast: Broadcast) -> ColumnElement[bool]:
    """Drawn by itself: whoever is held out would have been in any wave, with any variant."""
    return _lot(broadcast, _HOLDOUT) < _share(broadcast.holdout_percent)


def wave(broadcast: Broadcast, *, has_trial: bool) -> ColumnElement[int]:
    drawn, canary = _lot(broadcast, _WAVE), broadcast.canary_percent
    trial = canary + broadcast.trial_percent if has_trial else canary
    if not trial:
        return literal(REST, SmallInteger)
    chosen = case((drawn < _share(canary), CANARY), (drawn < _share(trial), TRIAL), else_=REST)
    return cast(chosen, SmallInteger)


def variant(broadcast: Broadcast, variants: int) -> ColumnElement[int]:
    """One of so many, each as likely."""
    if variants == 1:
        return literal(0, SmallInteger)
    return cast(_lot(broadcast, _VARIANT) * variants // _LOTS, SmallInteger)


def order(broadcast: Broadcast) -> ColumnElement[int]:
    """People in the order in which a larger canary would take them in."""
    return _lot(broadcast, _WAVE)


def has_trial(broadcast: Broadcast, variants: int) -> bool:
    """Whether the variants are tried on some before the others get the winner."""
    return variants > 1 and broadcast.trial_percent > 0 and broadcast.winner_metric is not None


def _lot(broadcast: Broadcast, draw: int) -> ColumnElement[int]:
    drawn = func.md5(func.concat(broadcast.id, ":", Person.id))
    return cast(cast(func.concat("x", func.substr(drawn, 1 + draw * _DIGITS, _DIGITS)), BIT(4 * _DIGITS)), BigInteger)


def _share(percent: int) -> int:
    return -(-_LOTS * percent // 100)
