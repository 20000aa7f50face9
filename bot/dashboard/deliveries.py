"""How far a message got, as a tick and in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.language import _, later, translated
from bot.media.uploading import NOT_YET
from bot.models.message import Message
from bot.models.words import MessageState


@dataclass(frozen=True, slots=True)
class Delivery:
    icon: str
    tone: str
    words: str
    reason: str | None = None
    """Why it did not get there, in a sentence."""


STATES: Mapping[str, Delivery] = {
    MessageState.QUEUED: Delivery("clock", "quiet", later("Waiting to be sent")),
    MessageState.CLAIMED: Delivery("clock", "quiet", later("Being sent")),
    MessageState.WIRE: Delivery("clock", "quiet", later("Being sent")),
    MessageState.FAILED: Delivery("failed", "bad", later("Not delivered")),
    MessageState.SUPPRESSED: Delivery("failed", "warn", later("Not sent")),
    MessageState.CANCELLED: Delivery("failed", "quiet", later("Cancelled before it was sent")),
    MessageState.UNKNOWN: Delivery(
        "doubt",
        "warn",
        later("In doubt"),
        later("The line broke while it was sent. It is not sent again until we know."),
    ),
    MessageState.PRESUMED_UNSENT: Delivery(
        "doubt",
        "warn",
        later("Probably not sent"),
        later("The line broke while it was sent, and WhatsApp never spoke of it."),
    ),
}
LEVELS: tuple[Delivery, ...] = (
    Delivery("tick", "quiet", later("Taken by WhatsApp")),
    Delivery("tick", "quiet", later("Sent")),
    Delivery("ticks", "quiet", later("Delivered")),
    Delivery("ticks", "busy", later("Read")),
    Delivery("ticks", "busy", later("Played")),
)
NO_REASON = later("WhatsApp gave no reason.")


def of(message: Message) -> Delivery:
    """Of an outbound message; what WhatsApp told about it later goes before what we did."""
    if message.state not in STATES:
        return LEVELS[min(message.delivery_level, len(LEVELS) - 1)]
    known = STATES[message.state]
    if message.state == MessageState.QUEUED and message.not_before == NOT_YET:
        return Delivery(known.icon, known.tone, _("The file is on its way to WhatsApp"))
    if message.state == MessageState.QUEUED and message.not_before and message.not_before > datetime.now(UTC):
        return Delivery(known.icon, known.tone, _("Waiting: WhatsApp asked for a pause"))
    if message.state in {MessageState.FAILED, MessageState.SUPPRESSED}:
        return Delivery(known.icon, known.tone, known.words, _reason(message))
    return known


def _reason(message: Message) -> str:
    if message.error_text:
        told = translated(message.error_text)
        return told[:1].upper() + told[1:].rstrip(".") + "."
    return (
        _("WhatsApp gave error %(error_code)s.", error_code=message.error_code)
        if message.error_code is not None
        else translated(NO_REASON)
    )
