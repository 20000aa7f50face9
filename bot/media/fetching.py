"""One attempt at one file: ask the provider where it is, fetch it, put it on the shelf; never raises."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
from yarl import URL

from bot.media import download
from bot.media.addresses import ForbiddenAddressError, Lookup, Origin, origin
from bot.media.claims import Result
from bot.media.download import DamagedError, Fetched, StatusError, TooLargeError
from bot.media.shelf import Shelf, ShelfError, new_draft
from bot.models.words import MediaState
from bot.providers.base import Account, AnswerError, MediaAccess, MediaLocation
from bot.providers.events import MediaRef

log = structlog.get_logger()

TOTAL_S = 60.0
"""For all of an attempt but the last step, onto the shelf."""

_GONE = frozenset({404, 410})


class GoneError(Exception):
    """The provider no longer has the file, or never told where it is."""


_TELLING: Mapping[type[Exception], MediaState] = {
    TooLargeError: MediaState.REFUSED,
    ForbiddenAddressError: MediaState.REFUSED,
    GoneError: MediaState.FAILED,
    StatusError: MediaState.WAITING,
    AnswerError: MediaState.WAITING,
    DamagedError: MediaState.WAITING,
    ShelfError: MediaState.WAITING,
}
"""Errors whose text is for people, and what they mean: again later, never again by itself, or never."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to fetch, from whom, and how large it may be."""

    media_id: int
    access: MediaAccess | None
    account: Account
    provider_number_id: str
    ref: MediaRef
    most: int
    total_s: float = TOTAL_S
    lookup: Lookup | None = None

    @property
    def home(self) -> Origin:
        return origin(URL(self.account.base_url))


async def attempt(shelf: Shelf, key: str, order: Order) -> Result:
    """Fetch the file and keep it under `key`. What may pass is `waiting`, what cannot is `failed` or `refused`."""
    try:
        return await _attempt(shelf, key, order)
    except Exception as error:  # noqa: BLE001 (one odd file must not end the fetching of all others)
        state = next((state for kind, state in _TELLING.items() if isinstance(error, kind)), None)
        if state is not None:
            return Result(state, _sentence(str(error)))
        log.info("media.attempt_failed", media=order.media_id, error=type(error).__name__)
        return Result(MediaState.WAITING, _reason(error, order.total_s))


async def _attempt(shelf: Shelf, key: str, order: Order) -> Result:
    draft = await asyncio.to_thread(new_draft, shelf)
    try:
        async with asyncio.timeout(order.total_s):
            fetched = await _obtain(order, draft)
        await asyncio.to_thread(shelf.put, key, draft)
    finally:
        draft.unlink(missing_ok=True)
    return Result(MediaState.STORED, None, fetched.mime_type, fetched.size, fetched.sha256)


def _reason(error: Exception, total_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"The provider took longer than {total_s:g} seconds."
    if isinstance(error, aiohttp.ClientError | OSError):
        return "The connection to the provider failed."
    return f"Something unforeseen went wrong ({type(error).__name__})."


async def _obtain(order: Order, draft: Path) -> Fetched:
    """A url may be too old by the time it is used: then the provider is asked for a new one, once."""
    if order.access is None:
        raise GoneError("This provider hands out no files.")
    async with download.open_session(order.home, order.lookup) as http:
        try:
            return await _fetch(http, order, order.access, draft)
        except StatusError as error:
            if error.status not in _GONE:
                raise
        if order.ref.id is None:
            raise GoneError("The provider no longer has the file.")
        return await _fetch(http, order, order.access, draft)


async def _fetch(http: aiohttp.ClientSession, order: Order, access: MediaAccess, draft: Path) -> Fetched:
    location = await _locate(http, order, access)
    if location.size is not None and location.size > order.most:
        raise TooLargeError(order.most)
    request = access.fetch(order.account, location.url)
    fetched = await download.fetch(http, request, order.home, draft, order.most)
    if not download.agrees(fetched.sha256, location.sha256 or order.ref.sha256):
        raise DamagedError("the file does not have the checksum that the provider told")
    return fetched


async def _locate(http: aiohttp.ClientSession, order: Order, access: MediaAccess) -> MediaLocation:
    question = access.locate(order.account, order.provider_number_id, order.ref)
    if question is None and order.ref.url is None:
        raise GoneError("The message does not say where the file is.")
    if question is None:
        return MediaLocation(order.ref.url or "", sha256=order.ref.sha256)
    status, body = await download.ask(http, question, order.home)
    if status in _GONE:
        raise GoneError("The provider no longer has the file.")
    return access.location(order.account, status, body)


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}".rstrip(".") + "."
