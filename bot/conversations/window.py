"""The 24 hours after a person's message in which a business may write freely (Meta, "Customer service windows")."""

from datetime import datetime, timedelta

from bot.models.conversation import Conversation

WINDOW = timedelta(hours=24)
ENDING = timedelta(hours=2)
"""So long before its end a window is said to close soon."""


def closes_at(conversation: Conversation) -> datetime | None:
    """Counted from when the person wrote, not from when we heard of it; None if they never wrote."""
    return None if conversation.last_inbound_at is None else conversation.last_inbound_at + WINDOW


def is_open(conversation: Conversation, now: datetime) -> bool:
    closes = closes_at(conversation)
    return closes is not None and now < closes
