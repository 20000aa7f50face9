"""Which failures are worth another try, as a table: by what the provider's code means, else by our own reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.language import later
from bot.providers.base import Action
from bot.why import remedies

_NEVER: Final[Mapping[Action, str]] = {
    Action.FAIL: later("it would be refused again as it is"),
    Action.OPTED_OUT: later("they want no marketing"),
    Action.STOP_BROADCAST: later("the template is refused for everybody"),
    Action.ACCEPTED: later("it was accepted"),
}
"""Actions that stand here are not worth it; all others say that it may go well later."""

_BY_CODE: Final[Mapping[int, str | None]] = {
    131030: None,  # somebody may have put the address on the test number's list
    131053: None,  # the file may have been replaced
}
"""Codes that mean something else for another try than for the first one."""

COOLING: Final = later("they had enough marketing: WhatsApp takes more after a day")
_OURS: Final = later("our own reason stands: see it in the ledger")
_UNKNOWN: Final = "nothing known for "


@dataclass(frozen=True, slots=True)
class Failure:
    """`code` is the provider's; without one the `reason` is ours. `is_fresh`: within the last 24 hours."""

    code: int | None
    reason: str
    is_fresh: bool


def why_not(failure: Failure) -> str | None:
    """None if it is worth another try."""
    if failure.code is None:
        return None if failure.reason.startswith(_UNKNOWN) else _OURS
    if failure.code in _BY_CODE:
        return _BY_CODE[failure.code]
    action = remedies.action_of(failure.code)
    if action is Action.COOL_DOWN:
        return COOLING if failure.is_fresh else None
    return _NEVER.get(action)
