"""What a coach does in a thread besides closing and reopening it: answer, and mark as read."""

import hashlib
import re
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.conversations import threads, window
from bot.messages import compose
from bot.messages.compose import Author, Draft
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.message import Message
from bot.models.words import AuthorKind, ConversationState, Direction

MAX_CHARACTERS = 4096
"""Of a text message (Meta, "Text messages")."""
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


class ReplyError(Exception):
    """The reply cannot be sent; the text says why and what would do."""


class WindowClosedError(ReplyError):
    pass


class ThreadClosedError(ReplyError):
    pass


def reply(session: Session, conversation_id: int, operator_id: int, text: str, client_key: str) -> int:
    """Send a coach's text; returns the message's id. Ring "send" after the commit.

    `client_key` comes with the form, so that a form sent twice is one message; another text under the same key (the
    browser's Back button) is another message. Raises ReplyError; the conversation must exist.
    """
    conversation = _hold(session, conversation_id)
    said = _clean(text)
    if not _KEY.fullmatch(client_key):
        raise ReplyError("The form was incomplete: reload the page and send it again.")
    source_key = f"c:{client_key}:{hashlib.sha256(said.encode()).hexdigest()[:16]}"
    sent_before = session.scalar(select(Message.id).where(Message.source_key == source_key))
    if sent_before is not None:  # a double click stays harmless when the window closed in between
        return sent_before
    if conversation.state == ConversationState.CLOSED:
        raise ThreadClosedError("The conversation was closed meanwhile: reopen it, then send.")
    if not window.is_open(conversation, datetime.now(UTC)):
        raise WindowClosedError("The 24-hour window has closed: WhatsApp takes no text until this person writes again.")
    number = session.get_one(Number, conversation.number_id)
    draft = Draft(conversation.person_id, "text", compose.text_content(said), said, source_key)
    (message_id,) = compose.compose(session, number, Author(AuthorKind.COACH, operator_id), [draft])
    conversation.last_message_at = datetime.now(UTC)
    conversation.unread_count = 0
    return message_id


def mark_read(session: Session, conversation_id: int, last_seen_id: int) -> None:
    """Count as unread only what came in after the message last seen: not what arrived while the coach was reading."""
    conversation = _hold(session, conversation_id)
    newer = select(func.count()).where(
        Message.person_id == conversation.person_id,
        Message.number_id == conversation.number_id,
        Message.direction == Direction.IN,
        Message.kind.not_in(threads.SILENT_KINDS),
        Message.id > last_seen_id,
    )
    conversation.unread_count = min(conversation.unread_count, session.scalar(newer) or 0)


def _hold(session: Session, conversation_id: int) -> Conversation:
    """The conversation, locked: a reply and a close, or two replies, happen one after the other."""
    return session.scalars(select(Conversation).where(Conversation.id == conversation_id).with_for_update()).one()


def _clean(text: str) -> str:
    """A browser sends line ends as CR LF; a database takes no NUL."""
    said = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not said:
        raise ReplyError("There is nothing to send yet: write something first.")
    if len(said) > MAX_CHARACTERS:
        raise ReplyError(f"That is {len(said)} characters; WhatsApp takes {MAX_CHARACTERS} in one message.")
    return said
