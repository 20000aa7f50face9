"""A coach's file on its way: kept on our shelf, given to the provider, and only then is its message due."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session
from yarl import URL

from bot.media import download
from bot.media.addresses import origin
from bot.media.claims import Claimed, Result
from bot.media.shelf import Shelf, ShelfError
from bot.models.words import MediaState
from bot.providers.base import Account, AnswerError, MediaTaking

log = structlog.get_logger()

NOT_YET = datetime(9000, 1, 1, tzinfo=UTC)
"""Until then the message of a file waits that the provider does not have; later ones to the person wait behind it."""
ATTEMPTS = 3
TOTAL_S = 120.0

_GO = text("""
    WITH taken AS (
        UPDATE media SET provider_media_id = :provider_id WHERE id = :media_id RETURNING message_id)
    UPDATE message m
       SET content = jsonb_set(m.content, ARRAY[m.kind, 'id'], to_jsonb(CAST(:provider_id AS text))), not_before = NULL
      FROM taken WHERE m.id = taken.message_id AND m.state = 'queued'
""")
_FAIL = text("""
    UPDATE message SET state = 'failed', failed_at = clock_timestamp(), error_text = :reason
     WHERE id = :id AND state = 'queued' AND not_before = :not_yet
""").bindparams(not_yet=NOT_YET)
_FAIL_GIVEN_UP = text("""
    UPDATE message m SET state = 'failed', failed_at = clock_timestamp(), error_text = f.reason
      FROM media f
     WHERE f.message_id = m.id AND f.state = 'failed' AND m.state = 'queued' AND m.not_before = :not_yet
""").bindparams(not_yet=NOT_YET)


@dataclass(frozen=True, slots=True)
class Upload:
    media_id: int
    access: MediaTaking
    account: Account
    provider_number_id: str
    key: str
    name: str
    mime_type: str
    size: int
    attempt: int


def taker(access: object) -> MediaTaking | None:
    """A provider's access to files, if it takes them in too."""
    return access if isinstance(access, MediaTaking) else None


async def attempt(shelf: Shelf, order: Upload) -> Result:
    """`stored` with the provider's id, or `waiting` for another attempt, or `stored` with the reason it never left."""
    try:
        async with asyncio.timeout(TOTAL_S):
            return Result(MediaState.STORED, provider_media_id=await _upload(shelf, order))
    except (AnswerError, ShelfError) as error:
        reason = str(error)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        log.info("media.upload_failed", media=order.media_id, error=type(error).__name__)
        reason = "The connection to the provider failed."
    is_last = order.attempt >= ATTEMPTS
    return Result(MediaState.STORED if is_last else MediaState.WAITING, f"The file could not be sent: {reason}")


def conclude(session: Session, claimed: Claimed, result: Result) -> bool:
    """Let its message go, or fail it; whether there is something to send now. In the transaction that records."""
    if result.provider_media_id is not None:
        session.execute(_GO, {"media_id": claimed.id, "provider_id": result.provider_media_id})
        return True
    if result.state is not MediaState.WAITING:
        session.execute(_FAIL, {"id": claimed.message_id, "reason": result.reason})
    return False


def fail_given_up(session: Session) -> None:
    """The clock's share: a file that ended its worker each time holds up nobody's messages for ever."""
    session.execute(_FAIL_GIVEN_UP)


async def _upload(shelf: Shelf, order: Upload) -> str:
    content = await asyncio.to_thread(lambda: b"".join(shelf.read(order.key, 0, order.size)))
    request = order.access.upload(order.account, order.provider_number_id, order.name, order.mime_type, content)
    home = origin(URL(order.account.base_url))
    async with download.open_session(home) as http:
        status, body = await download.ask(http, request, home)
    return order.access.uploaded(status, body)
