"""What a coach does in a thread besides closing and reopening it: answer, react, and mark as read."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from bot.conversations import receipts, threads, window
from bot.language import _
from bot.messages import compose
from bot.messages.compose import Author, Draft
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.message import Message
from bot.models.words import AuthorKind, ConversationState, Direction

MAX_CHARACTERS = 4096
"""Of a text message (Meta, "Text messages")."""
MAX_BUTTONS, MAX_TITLE, MAX_ABOVE_BUTTONS = 3, 20, 1024
"""Of reply buttons, a button's title, and the text above them (Meta, "Interactive reply buttons")."""
REACTIONS = ("👍", "❤️", "😂", "😮", "😢", "🙏")
"""As WhatsApp offers them first."""
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


class ReplyError(Exception):
    """The reply cannot be sent; the text says why and what would do."""


class WindowClosedError(ReplyError):
    pass


class ThreadClosedError(ReplyError):
    pass


class NewMessageError(ReplyError):
    """Something came, or a colleague answered, after the message the coach saw last; sending it anyway is allowed."""

    def __init__(self, text: str, newest: int) -> None:
        super().__init__(text)
        self.newest = newest


@dataclass(frozen=True, slots=True)
class Said:
    """What a coach wrote, to which message, and what they had before their eyes."""

    text: str
    buttons: tuple[str, ...] = ()
    quotes: int | None = None
    """Id of a message of the thread."""
    last_seen: int | None = None
    """Id of the newest message they saw; None: it goes out whatever came meanwhile."""


def reply(session: Session, conversation_id: int, operator_id: int, said: Said, client_key: str) -> int:
    """Send a coach's text; returns the message's id. Ring "send" after the commit.

    `client_key` comes with the form, so that a form sent twice is one message; another text under the same key (the
    browser's Back button) is another message. Raises ReplyError; the conversation must exist.
    """
    conversation = hold(session, conversation_id)
    draft = _draft(session, conversation, said)
    key = source_key(client_key, draft.content)
    if (known := sent_before(session, key)) is not None:  # harmless also when the window closed in between
        return known
    demand_writable(conversation)
    demand_seen(session, conversation, operator_id, said.last_seen)
    return send(session, conversation, operator_id, replace(draft, source_key=key))


def react(session: Session, conversation_id: int, operator_id: int, message_id: int, emoji: str) -> int:
    """React to a message of theirs, or take a reaction back with ""; the last one counts. Raises ReplyError."""
    conversation = hold(session, conversation_id)
    demand_writable(conversation)
    if emoji and emoji not in REACTIONS:
        raise ReplyError(_("A reaction is one emoji: choose one of those shown."))
    target = _target(session, conversation, message_id)
    reaction = {"type": "reaction", "reaction": {"message_id": target, "emoji": emoji}}
    number = session.get_one(Number, conversation.number_id)
    draft = Draft(conversation.person_id, "reaction", reaction, emoji or None, reply_to=target)
    [sent] = compose.compose(session, number, Author(AuthorKind.COACH, operator_id), [draft])
    return sent


def mark_read(session: Session, conversation_id: int, last_seen_id: int) -> None:
    """Count as unread only what came in after the message last seen: not what arrived while the coach was reading."""
    conversation = hold(session, conversation_id)
    newer = select(func.count()).where(
        Message.person_id == conversation.person_id,
        Message.number_id == conversation.number_id,
        Message.direction == Direction.IN,
        Message.kind.not_in(threads.SILENT_KINDS),
        Message.id > last_seen_id,
    )
    conversation.unread_count = min(conversation.unread_count, session.scalar(newer) or 0)


def hold(session: Session, conversation_id: int) -> Conversation:
    """The conversation, locked: a reply and a close, or two replies, happen one after the other."""
    return session.scalars(select(Conversation).where(Conversation.id == conversation_id).with_for_update()).one()


def source_key(client_key: str, content: object) -> str:
    if not _KEY.fullmatch(client_key):
        raise ReplyError(_("The form was incomplete: reload the page and send it again."))
    return f"c:{client_key}:{hashlib.sha256(orjson.dumps(content)).hexdigest()[:16]}"


def sent_before(session: Session, key: str) -> int | None:
    return session.scalar(select(Message.id).where(Message.source_key == key))


def demand_open(conversation: Conversation) -> None:
    if conversation.state == ConversationState.CLOSED:
        raise ThreadClosedError(_("The conversation was closed meanwhile: reopen it, then send."))


def demand_writable(conversation: Conversation) -> None:
    demand_open(conversation)
    if not window.is_open(conversation, datetime.now(UTC)):
        raise WindowClosedError(
            _(
                "The 24-hour window has closed: WhatsApp takes no text until this person writes "
                "again. Choose a template to ask them back; what you wrote can wait for their "
                "answer."
            )
        )


def demand_seen(session: Session, conversation: Conversation, operator_id: int, last_seen: int | None) -> None:
    """Raises NewMessageError. What automatic senders wrote meanwhile is no reason to ask."""
    if last_seen is None:
        return
    newer = (
        select(Message.id, Message.direction)
        .where(
            Message.person_id == conversation.person_id,
            Message.number_id == conversation.number_id,
            Message.id > last_seen,
            _by_people(operator_id),
        )
        .order_by(Message.id.desc())
    )
    found = session.execute(newer.limit(20)).all()
    if not found:
        return
    theirs = any(row.direction == Direction.IN for row in found)
    news = _("A new message arrived while you were typing") if theirs else _("A colleague has answered meanwhile")
    raise NewMessageError(_("%(news)s: look first, or send it anyway. Nothing was sent yet.", news=news), found[0].id)


def send(session: Session, conversation: Conversation, operator_id: int, draft: Draft) -> int:
    number = session.get_one(Number, conversation.number_id)
    (message_id,) = compose.compose(session, number, Author(AuthorKind.COACH, operator_id), [draft])
    conversation.last_message_at = datetime.now(UTC)
    conversation.unread_count = 0
    receipts.read(session, conversation.id)
    return message_id


def clean(text: str, most: int = MAX_CHARACTERS) -> str:
    """A browser sends line ends as CR LF; a database takes no NUL. Raises ReplyError."""
    said = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not said:
        raise ReplyError(_("There is nothing to send yet: write something first."))
    if len(said) > most:
        raise ReplyError(
            _("That is %(length)s characters; WhatsApp takes %(most)s in one message.", length=len(said), most=most)
        )
    return said


def _draft(session: Session, conversation: Conversation, said: Said) -> Draft:
    titles = tuple(dict.fromkeys(title for given in said.buttons if (title := " ".join(given.split()))))
    text = clean(said.text, MAX_ABOVE_BUTTONS if titles else MAX_CHARACTERS)
    if len(titles) > MAX_BUTTONS or any(len(title) > MAX_TITLE for title in titles):
        raise ReplyError(
            _(
                "A message takes %(max_buttons)s buttons of at most %(max_title)s characters.",
                max_buttons=MAX_BUTTONS,
                max_title=MAX_TITLE,
            )
        )
    content: dict[str, Any] = compose.text_content(text)
    if titles:
        content = compose.buttons_content(text, [(f"c:{place}:{title}", title) for place, title in enumerate(titles)])
    quoted = None if said.quotes is None else _target(session, conversation, said.quotes)
    if quoted is not None:
        content |= {"context": {"message_id": quoted}}
    return Draft(conversation.person_id, content["type"], content, text, reply_to=quoted)


def _target(session: Session, conversation: Conversation, message_id: int) -> str:
    """The provider's id of a message of this thread; raises ReplyError."""
    found = session.scalar(
        select(Message.provider_message_id).where(
            Message.id == message_id,
            Message.person_id == conversation.person_id,
            Message.number_id == conversation.number_id,
        )
    )
    if found is None:
        raise ReplyError(_("WhatsApp does not know that message yet: answer it without quoting, or wait a moment."))
    return found


def _by_people(operator_id: int) -> ColumnElement[bool]:
    """What the person wrote, and what anybody of ours but this coach did by hand."""
    heard = and_(Message.direction == Direction.IN, Message.kind.not_in(threads.SILENT_KINDS))
    colleague = and_(Message.author_kind == AuthorKind.COACH, Message.operator_id != operator_id)
    return or_(heard, and_(colleague, Message.kind != "reaction"), Message.author_kind == AuthorKind.APP)
