"""A message as a thread shows it, with what stands elsewhere: its file, its reactions, what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from bot.dashboard import attachments, deliveries, kinds, origins
from bot.dashboard.attachments import Attachment
from bot.dashboard.deliveries import Delivery
from bot.dashboard.kinds import Said
from bot.dashboard.origins import Quote
from bot.language import later, translated
from bot.models.message import Message
from bot.models.words import AuthorKind, Direction

AUTHORS = {
    AuthorKind.STACK: later("Stack"),
    AuthorKind.COACH: later("Coach"),
    AuthorKind.REMINDER: later("Reminder"),
    AuthorKind.API: "API",
    AuthorKind.BROADCAST: later("Broadcast"),
    AuthorKind.AUTOMATION: later("Automation"),
    AuthorKind.APP: later("WhatsApp app on the phone"),
}

_REACTIONS = text("""
    SELECT target, emoji, false AS is_ours, person_id AS place FROM reaction
     WHERE number_id = :number_id AND target = ANY(CAST(:all AS text[])) AND emoji IS NOT NULL
     UNION ALL
    SELECT reply_to_provider_message_id, coalesce(body, ''), true, id FROM message
     WHERE person_id = :person_id AND number_id = :number_id AND direction = 'out' AND kind = 'reaction'
       AND state NOT IN ('failed', 'suppressed') AND reply_to_provider_message_id = ANY(CAST(:theirs AS text[]))
     ORDER BY is_ours, place
""")


@dataclass(frozen=True, slots=True)
class Bubble:
    id: int
    at: datetime
    by_us: bool
    author_kind: str | None
    author: str | None
    """`Stack · welcome`, `Coach · Kim`; None for the person's own."""
    said: Said
    delivery: Delivery | None
    attachment: Attachment | None
    notes: tuple[str, ...]
    """Forwarded, from an ad, …"""
    quote: Quote | None
    """What it answers."""
    reactions: tuple[str, ...]
    edited_at: datetime | None
    first_said: str | None
    """The first wording of what was edited."""
    deleted_at: datetime | None
    is_known: bool
    """WhatsApp has an id for it, so that it can be quoted and reacted to."""
    mine: str | None
    """The emoji we reacted with."""
    key: str | None
    """Of a coach's reply, the key that its page sent with it, so that the page knows its own."""


class Around:
    """What is shown at a page's messages and stands elsewhere in the database; one question for each kind of it."""

    def __init__(self, session: Session, messages: Sequence[Message]) -> None:
        self.files = attachments.of_messages(session, [each.id for each in messages if each.kind != "text"])
        self.quotes = origins.quotes(session, messages)
        self.reactions: dict[str, tuple[str, ...]] = {}
        self.ours: dict[str, str] = {}
        """The emoji we last reacted with, by the provider's id of what it is about; "" for one taken back."""
        for row in _reactions(session, messages):
            if row.is_ours:
                self.ours[row.target] = row.emoji
            else:
                self.reactions[row.target] = (*self.reactions.get(row.target, ()), row.emoji)

    def bubble(self, message: Message, author: str | None) -> Bubble:
        by_us = message.direction == Direction.OUT
        kind = translated(AUTHORS[AuthorKind(message.author_kind)]) if message.author_kind else None
        first = message.original or {}
        return Bubble(
            id=message.id,
            at=message.occurred_at,
            by_us=by_us,
            author_kind=message.author_kind,
            author=" · ".join(part for part in (kind, author) if part) or None,
            said=kinds.describe(message.kind, message.content, message.body, is_outbound=by_us),
            delivery=deliveries.of(message) if by_us else None,
            attachment=self.files.get(message.id),
            notes=origins.notes(first.get("content") or message.content),
            quote=self.quotes.get(message.reply_to_provider_message_id or ""),
            reactions=self.reactions.get(message.provider_message_id or "", ()),
            mine=self.ours.get(message.provider_message_id or ""),
            is_known=message.provider_message_id is not None,
            edited_at=message.edited_at,
            first_said=_first_said(first, by_us=by_us) if message.edited_at else None,
            deleted_at=message.revoked_at,
            key=_key(message.source_key) if by_us else None,
        )


def of(session: Session, message_id: int, author: str) -> Bubble:
    """Of one message alone, as whoever has just sent it is shown it."""
    message = session.get_one(Message, message_id)
    return Around(session, [message]).bubble(message, author)


def _reactions(session: Session, messages: Sequence[Message]) -> Sequence[Row[Any]]:
    told = [(message.provider_message_id, message.direction) for message in messages if message.provider_message_id]
    if not told:
        return ()
    asked = {
        "person_id": messages[0].person_id,
        "number_id": messages[0].number_id,
        "all": [target for target, _direction in told],
        "theirs": [target for target, direction in told if direction == Direction.IN],
    }
    return session.execute(_REACTIONS, asked).all()


def _key(source_key: str | None) -> str | None:
    """As bot.conversations.coach spells it: `c:<key>:<hash>`."""
    kind, _sep, rest = (source_key or "").partition(":")
    return rest.rpartition(":")[0] or None if kind == "c" else None


def _first_said(original: Mapping[str, Any], *, by_us: bool) -> str:
    return kinds.summary(
        original.get("kind") or "text", original.get("content"), original.get("body"), is_outbound=by_us
    )
