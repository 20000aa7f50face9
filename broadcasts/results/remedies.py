"""Why people of a broadcast got nothing, in plain words, each with what can be done about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.language import later, translated
from bot.messages.compose import ERASED, NO_ADDRESS, OPTED_OUT, SWITCHED_OFF
from bot.people.preferences import NO_CHANNEL, NO_TOPIC
from bot.why import remedies
from broadcasts.results.ledger import Reason

_OURS: tuple[tuple[str, str], ...] = (
    (
        "nothing known for ",
        later("Fill the attribute of these people or give the slot a default, and send them a duplicate."),
    ),
    (NO_ADDRESS, later("Ask them for a number and put it into their profile, or take in a list that holds one.")),
    (SWITCHED_OFF, later("Nothing to do: somebody of the team switched these people off. Their profile tells who.")),
    (OPTED_OUT, later("Respect it: only they can take it back. What is not marketing still reaches them.")),
    (ERASED, later("Nothing to do: they asked to be forgotten. They hear from you again once they opt in.")),
    (NO_CHANNEL, later("Respect it: they chose so. It can be changed in their profile, when they ask for it.")),
    (NO_TOPIC, later("Respect it: they chose so. A broadcast about another topic still reaches them.")),
    ("held out", later("Nothing to do: this share was to get nothing, to compare with those who did.")),
    ("got as many", later("Wait some days: they heard from you often enough. The cap stands in the sending policy.")),
    ("the broadcast was not to be sent", later("Launch another one, begin earlier or give it a later deadline.")),
)
"""How a reason of our own begins, and what to do."""
_OTHER = later("Correct what the reason names, then retry these.")


@dataclass(frozen=True, slots=True)
class Explained:
    part: str
    reason: str
    """As the ledger has it; names these people in an address."""
    words: str
    code: int | None
    people: int
    remedy: str


def explain(reasons: Sequence[Reason]) -> Iterator[Explained]:
    for each in reasons:
        text = translated(each.text)
        words = text[:1].upper() + text[1:].rstrip(".")
        yield Explained(each.part, each.text, words, each.code, each.people, remedy(each.text, each.code))


def remedy(text: str, code: int | None) -> str:
    if code is not None:
        return remedies.of(code)
    return next((told for beginning, told in _OURS if text.startswith(beginning)), _OTHER)
