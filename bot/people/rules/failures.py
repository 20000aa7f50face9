"""Why a message of a broadcast failed, in classes a marketer can act on; the codes are those of the Cloud API."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.language import later
from bot.providers.base import Action
from bot.providers.cloud_codes import ACTIONS


@dataclass(frozen=True, slots=True)
class Failure:
    label: str
    codes: frozenset[int]


def _codes(*actions: Action) -> frozenset[int]:
    return frozenset(code for code, action in ACTIONS.items() if action in actions)


FAILURES: Mapping[str, Failure] = {
    "unreachable": Failure(later("the address cannot be reached"), frozenset({130497, 131021, 131026, 131030, 131062})),
    "stopped": Failure(later("they have stopped marketing"), _codes(Action.OPTED_OUT)),
    "enough_marketing": Failure(later("they got enough marketing for now"), _codes(Action.COOL_DOWN) | {130472}),
    "template": Failure(later("the template was at fault"), _codes(Action.STOP_BROADCAST)),
    "account": Failure(later("the account or the number was blocked"), _codes(Action.STOP_NUMBER)),
    "provider": Failure(
        later("WhatsApp was busy or away"), _codes(Action.THROTTLE, Action.PAIR, Action.RETRY, Action.UNKNOWN)
    ),
}

OTHER = "other"
"""Any code of no class, and failures without a code."""

LABELS: Mapping[str, str] = {name: each.label for name, each in FAILURES.items()} | {OTHER: later("for another reason")}
CLASSED = frozenset(code for each in FAILURES.values() for code in each.codes)
