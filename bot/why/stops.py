"""Where the outbox kept a message back: its own words, and the step that they mean."""

from collections.abc import Mapping

from bot.journeys.reminding import WINDOW_CLOSED
from bot.language import _
from bot.messages.compose import ERASED, NO_ADDRESS, OPTED_OUT, SWITCHED_OFF
from bot.models.words import AuthorKind, MessageState
from bot.people.merge import TWIN
from bot.people.preferences import NO_CHANNEL, NO_TOPIC
from bot.why.case import Case

_STEPS: Mapping[str, str] = {
    NO_ADDRESS: "address",
    SWITCHED_OFF: "enabled",
    ERASED: "erased",
    OPTED_OUT: "consent",
    NO_CHANNEL: "topic",
    NO_TOPIC: "topic",
    WINDOW_CLOSED: "window",
    TWIN: "twin",
}


def stop_of(case: Case) -> str | None:
    """The key of that step; `other` for words that none of them knows, None if it was not kept back."""
    message = case.message
    if message is None:
        return None
    if message.state == MessageState.SUPPRESSED:
        text = message.error_text or ""
        may_lack_values = message.author_kind == AuthorKind.REMINDER or text.startswith("nothing known for")
        return _STEPS.get(text) or ("values" if may_lack_values else "other")
    is_kept_back = message.state == MessageState.FAILED and message.wire_at is None and message.error_code is None
    return "values" if is_kept_back else None


def when(case: Case) -> str:
    """The outbox judges when it makes a message, and once more just before it leaves."""
    return (
        _("when it was about to leave") if case.message is not None and case.message.attempt else _("when it was made")
    )


def reason(case: Case) -> str:
    return sentence((case.message.error_text if case.message else None) or _("no reason was written down"))


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
