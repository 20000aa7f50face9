"""Deletes the files of messages: for erasure and retention, which must call it before they delete the messages."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.media.shelf import Shelf
from bot.models.message import Media
from bot.models.words import MediaState

ERASED = "The file was deleted."


def erase(session: Session, shelf: Shelf, message_ids: Collection[int]) -> int:
    """How many there were; raises ShelfError. The rows stay, without a word about the file but that it was deleted.

    The bytes go before the commit: should that fail, a row points to nothing, where the other way round a file would
    be left that nobody knows of. A worker that has the file in hand finds its row changed, and throws the file away.
    """
    found = session.scalars(select(Media).where(Media.message_id.in_(message_ids)).with_for_update()).all()
    for media in found:
        if media.storage_key is not None:
            shelf.remove(media.storage_key)
        media.state, media.reason = MediaState.REFUSED, ERASED
        media.storage_key = media.url = media.provider_media_id = media.sha256 = media.name = None
        media.lease_until = media.stored_at = media.size = None
    return len(found)
