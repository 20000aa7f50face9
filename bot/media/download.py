"""One file from one address into a draft, within limits of size, time and place."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from yarl import URL

from bot.media import kinds
from bot.media.addresses import ForbiddenAddressError, Lookup, Origin, PublicResolver, checked, origin
from bot.providers.base import HttpRequest

CONNECT_S = 10.0
REDIRECTS = 3
_PIECE = 64 * 1024
_REDIRECTED = frozenset({301, 302, 303, 307, 308})
_SHA256_BYTES = 32
_ANSWER_BYTES = 64 * 1024


class TooLargeError(Exception):
    def __init__(self, most: int) -> None:
        super().__init__(f"The file is larger than {most / kinds.MB:g} MB.")


class StatusError(Exception):
    """The host answered, but not with the file."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the provider answered with {status}")
        self.status = status


class DamagedError(Exception):
    """What came is not what was announced."""


@dataclass(frozen=True, slots=True)
class Fetched:
    mime_type: str
    """By its bytes."""
    size: int
    sha256: str
    """Hexadecimal."""


def open_session(home: Origin, lookup: Lookup | None = None) -> aiohttp.ClientSession:
    """A client for one file alone: a connection kept for another account would pass by that one's checks."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=PublicResolver(home, lookup), use_dns_cache=False, force_close=True, limit=1
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_S
        ),  # the whole attempt has one clock, not each hop
        auto_decompress=False,  # a small body might unpack to a very large one
    )


async def ask(http: aiohttp.ClientSession, request: HttpRequest, home: Origin) -> tuple[int, bytes]:
    """Status and beginning of an answer; carries a secret, so it follows no redirect."""
    url = checked(request.url, home)
    async with http.request(
        request.method, url, data=request.body or None, headers=request.headers, allow_redirects=False
    ) as response:
        body = bytearray()
        while len(body) < _ANSWER_BYTES and (piece := await response.content.read(_ANSWER_BYTES)):
            body += piece
        return response.status, bytes(body)


async def fetch(http: aiohttp.ClientSession, request: HttpRequest, home: Origin, draft: Path, most: int) -> Fetched:
    """Write the file to `draft`; raises the errors above, ForbiddenAddressError, and the client's own.

    A redirect is checked as the first address was, and one to another host goes there without any header of ours.
    """
    url, headers = checked(request.url, home), dict(request.headers)
    for _ in range(REDIRECTS + 1):
        headers["Accept-Encoding"] = "identity"
        async with http.request(request.method, url, headers=headers, allow_redirects=False) as response:
            if response.status not in _REDIRECTED:
                return await _take(response, draft, most)
            target = _target(response, home)
        if origin(target) != origin(url):
            headers = {}
        url = target
    raise StatusError(response.status)


def agrees(sha256: str, told: str | None) -> bool:
    """Whether the checksum (hexadecimal) is the one told in hexadecimal or base64; what is neither tells nothing."""
    wanted = _checksum(told or "")
    return wanted is None or hmac.compare_digest(bytes.fromhex(sha256), wanted)


def _checksum(told: str) -> bytes | None:
    for read in (bytes.fromhex, lambda text: base64.b64decode(text, validate=True)):
        try:
            if len(found := read(told)) == _SHA256_BYTES:
                return found
        except (ValueError, binascii.Error):
            continue
    return None


def _target(response: aiohttp.ClientResponse, home: Origin) -> URL:
    told = response.headers.get("Location", "")
    try:
        target = response.url.join(URL(told, encoded=True))
    except ValueError as error:
        raise ForbiddenAddressError from error
    return checked(str(target), home)


async def _take(response: aiohttp.ClientResponse, draft: Path, most: int) -> Fetched:
    if response.status != 200:
        raise StatusError(response.status)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise DamagedError("the file came packed, though it was asked for as it is")
    if (response.content_length or 0) > most:
        raise TooLargeError(most)
    size, head, checksum = 0, b"", hashlib.sha256()
    with draft.open("wb") as file:
        async for piece in response.content.iter_chunked(_PIECE):
            size += len(piece)
            if size > most:
                raise TooLargeError(most)
            if len(head) < kinds.HEAD_BYTES:
                head += piece[: kinds.HEAD_BYTES - len(head)]
            checksum.update(piece)
            file.write(piece)
    if not size:
        raise DamagedError("the file is empty")
    return Fetched(kinds.recognise(head), size, checksum.hexdigest())
