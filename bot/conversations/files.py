"""Files that coaches send: on our shelf first, then by the media worker to the provider, then to the person."""

import hashlib
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations import coach
from bot.conversations.coach import ReplyError
from bot.language import _
from bot.media import sending, uploading
from bot.media.sending import FileError
from bot.media.shelf import Shelf
from bot.media.uploading import NOT_YET
from bot.messages.compose import Draft
from bot.models.connection import Connection, Number
from bot.models.message import Media
from bot.models.words import MediaState
from bot.providers.registry import PROVIDERS

LONGEST_CAPTION = 1024


class Kept:
    """A file that was uploaded to us, on the shelf under a key of its own; `forget` it if nothing comes of it."""

    def __init__(self, shelf: Shelf, name: str, draft: Path, cap: int) -> None:
        """Raises ReplyError."""
        try:
            self.kind, self.mime_type = sending.judge(name, draft, cap)
        except FileError as error:
            raise ReplyError(str(error)) from error
        self.name, self.size = name[-240:] or "file", draft.stat().st_size
        with draft.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self.key = str(uuid.uuid4())
        self._shelf = shelf
        shelf.put(self.key, draft)

    def forget(self) -> None:
        self._shelf.remove(self.key)


def send(session: Session, conversation_id: int, operator_id: int, kept: Kept, caption: str, client_key: str) -> int:
    """The message's id, of a form sent twice the first one's. Ring "media" after the commit. Raises ReplyError."""
    conversation = coach.hold(session, conversation_id)
    words = coach.clean(caption, LONGEST_CAPTION) if caption.strip() else None
    if words and kept.kind == "audio":
        raise ReplyError(_("WhatsApp takes no words with an audio file: send them as a message of their own."))
    key = coach.source_key(client_key, [kept.sha256, words])
    if (known := coach.sent_before(session, key)) is not None:
        kept.forget()
        return known
    coach.demand_writable(conversation)
    if not takes_files(session, conversation.number_id):
        raise ReplyError(
            _("Files cannot be sent through this number's provider: Backchat sends them by the Cloud API.")
        )
    part: dict[str, Any] = {"caption": words} if words else {}
    part |= {"filename": kept.name} if kept.kind == "document" else {}
    content = {"type": kept.kind, kept.kind: part}
    draft = Draft(conversation.person_id, kept.kind, content, words, key, not_before=NOT_YET)
    message_id = coach.send(session, conversation, operator_id, draft)
    session.add(
        Media(
            message_id=message_id,
            number_id=conversation.number_id,
            state=MediaState.WAITING,
            storage_key=kept.key,
            name=kept.name,
            mime_type=kept.mime_type,
            size=kept.size,
            sha256=kept.sha256,
        )
    )
    session.flush()
    return message_id


def takes_files(session: Session, number_id: int) -> bool:
    provider = session.scalars(
        select(Connection.provider).join(Number, Number.connection_id == Connection.id).where(Number.id == number_id)
    ).one()
    return takes(provider)


def takes(provider: str) -> bool:
    """Whether files are sent from here through it."""
    return uploading.taker(PROVIDERS[provider].media) is not None
