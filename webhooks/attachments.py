"""Files that came with messages: noted with them in one transaction, so that none is forgotten; fetched by a worker."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.words import MediaState
from bot.providers.events import Echo, InboundMessage, OfNumber

NOWHERE = "the provider did not say where the file is"

_STORE = text("""
    INSERT INTO media (message_id, number_id, provider_media_id, url, mime_type, sha256, name, state, reason)
    SELECT message_id, number_id, id, url, mime_type, sha256, name, state, reason
      FROM jsonb_to_recordset(CAST(:rows AS jsonb))
            AS t(message_id bigint, number_id bigint, id text, url text, mime_type text, sha256 text, name text,
                 state text, reason text)
    ON CONFLICT (message_id) DO NOTHING
""")


def store(session: Session, told: Sequence[tuple[int, int, OfNumber]]) -> int:
    """Note the files of new messages: (message id, number id, what came in); how many there are to fetch."""
    rows = list(_rows(told))
    if rows:
        session.execute(_STORE, {"rows": orjson.dumps(rows).decode()})
    return sum(row["state"] == MediaState.WAITING for row in rows)


def _rows(told: Sequence[tuple[int, int, OfNumber]]) -> Iterator[dict[str, Any]]:
    for message_id, number_id, event in told:
        if isinstance(event, InboundMessage | Echo) and (media := event.media):
            is_somewhere = media.id is not None or media.url is not None
            yield {
                "message_id": message_id,
                "number_id": number_id,
                "id": media.id,
                "url": media.url,
                "mime_type": media.mime_type,
                "sha256": media.sha256,
                "name": media.name,
                "state": MediaState.WAITING if is_somewhere else MediaState.FAILED,
                "reason": None if is_somewhere else NOWHERE,
            }
