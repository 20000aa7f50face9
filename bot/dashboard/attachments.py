"""The files of a thread's messages as bubbles show them: all of a thread in one question to the database."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _, figure
from bot.media import kinds, names
from bot.models.message import Media, Message
from bot.models.words import MediaState

UNITS = ((kinds.MB, "MB"), (1024, "kB"))


@dataclass(frozen=True, slots=True)
class Attachment:
    id: int
    state: MediaState
    is_sticker: bool
    player: str | None
    """image, audio or video; None for what is only downloaded, and for what is not here."""
    name: str
    """Under which it is saved."""
    told_name: str | None
    """As its sender called it; the words of a document that came without any."""
    size: str | None
    reason: str | None


def of_messages(session: Session, message_ids: Collection[int]) -> Mapping[int, Attachment]:
    """By message; those without a file are not in it."""
    if not message_ids:
        return {}
    found = session.execute(
        select(Media, Message.kind)
        .join(Message, Message.id == Media.message_id)
        .where(Media.message_id.in_(message_ids))
    )
    return {media.message_id: _attachment(media, kind) for media, kind in found}


def _attachment(media: Media, kind: str) -> Attachment:
    is_here = media.state == MediaState.STORED
    return Attachment(
        id=media.id,
        state=MediaState(media.state),
        is_sticker=kind == "sticker",
        player=kinds.player(media.mime_type) if is_here else None,
        name=names.safe_name(media.name, media.mime_type if is_here else None, media.id),
        told_name=media.name if is_here else None,
        size=size_words(media.size) if is_here and media.size is not None else None,
        reason=media.reason,
    )


def size_words(size: int) -> str:
    """1.4 MB, 20 kB, 312 bytes."""
    for unit, word in UNITS:
        if size >= unit:
            return f"{figure(size / unit, 1 if size < 10 * unit else 0)} {word}"
    return _("%(size)s bytes", size=size)
