"""A message in a list of one person's: what it is called, what it says, who wrote it."""

from collections.abc import Callable, Mapping

from bot.dashboard import deliveries, kinds
from bot.dashboard.bubbles import AUTHORS
from bot.language import _, translated
from bot.messages.history import Entry
from bot.models.message import Message
from bot.models.words import AuthorKind, Direction

_LONGEST = 200


def said_of(message: Message) -> kinds.Said:
    by_us = message.direction == Direction.OUT
    return kinds.describe(message.kind, message.content, message.body, is_outbound=by_us)


def heading_of(message: Message) -> str:
    return said_of(message).label or _("Message")


def wording_of(message: Message) -> str:
    if message.revoked_at is not None:
        return translated(kinds.DELETED)
    said = said_of(message)
    return (said.text or said.detail or "")[:_LONGEST]


def author_of(entry: Entry) -> str:
    """`Broadcast · Spring course`; empty for the person's own."""
    kind = entry.message.author_kind
    return " · ".join(part for part in (translated(AUTHORS[AuthorKind(kind)]) if kind else None, entry.author) if part)


WORDS: Mapping[str, Callable[..., object]] = {
    "delivery_of": deliveries.of,
    "heading_of": heading_of,
    "wording_of": wording_of,
    "author_of": author_of,
}
"""What templates/dashboard/_entries.html asks."""
