"""What each state of a template means for whoever wants to send it, and what helps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.language import later


@dataclass(frozen=True, slots=True)
class Meaning:
    text: str
    remedy: str
    can_edit: bool = False
    """Whether the provider takes another wording of it now."""


_PLAIN: Final = Meaning(later("The provider calls it so."), later("Refresh it, or look at the provider's own pages."))

MEANINGS: Final[Mapping[str, Meaning]] = {
    "UNSUBMITTED": Meaning(
        later("WhatsApp has not taken it yet: nothing can be sent with it."),
        later("Put right what is said and submit it."),
        True,
    ),
    "PENDING": Meaning(
        later("WhatsApp reviews it; that takes minutes as a rule, and a day at most."),
        later("Wait: it changes here as soon as WhatsApp tells the outcome."),
    ),
    "APPROVED": Meaning(
        later("It can be sent."), later("An edit is reviewed anew: once in 24 hours, ten times in 30 days."), True
    ),
    "REJECTED": Meaning(
        later("WhatsApp does not take it as it is."), later("Edit what the reason names and submit it again."), True
    ),
    "PAUSED": Meaning(
        later(
            "Too many people blocked or reported it. The first pause lasts 3 hours, the second 6; a third disables it."
        ),
        later("Say something more useful to fewer people, edit it, unpause it, or wait until the pause is over."),
        True,
    ),
    "DISABLED": Meaning(
        later("It was paused too often, or breaks WhatsApp's rules: it cannot be sent any more."),
        later("Make another one under a new name, or appeal in the WhatsApp Manager."),
    ),
    "IN_APPEAL": Meaning(
        later("Somebody appealed against its rejection."), later("Wait for the outcome, or make another one.")
    ),
    "LIMIT_EXCEEDED": Meaning(
        later("It was rejected, and has been appealed as often as it may be."),
        later("Make another one under a new name."),
    ),
    "ARCHIVED": Meaning(
        later("Somebody put it away, or nobody sent it for long."),
        later("Bring it back in the WhatsApp Manager, then refresh it."),
    ),
    "PENDING_DELETION": Meaning(
        later("It is being deleted."), later("Choose another one; its name is locked for 30 days.")
    ),
    "DELETED": Meaning(
        later("The provider no longer has it."),
        later("Choose another one; its name is locked for 30 days after it was deleted."),
    ),
    "UNKNOWN": Meaning(later("Only its name is known so far."), later("Refresh it, and it is read from the provider.")),
}


def meaning_of(status: str) -> Meaning:
    return MEANINGS.get(status, _PLAIN)
