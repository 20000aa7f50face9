"""Calls to providers over kept connections, one at a time on each; says whether anything of a call may have left.

aiohttp's own client would do, but takes 200 µs of CPU a call where this takes 60 (docs/performance.md).
"""

import asyncio
import socket
import ssl
import time
from collections import defaultdict, deque
from functools import lru_cache
from types import TracebackType
from typing import NamedTuple, Self

import aiohappyeyeballs
from yarl import URL

from bot.messages.connection import NoAnswerError as NoAnswerError
from bot.messages.connection import PeerConnection
from bot.providers.base import HttpRequest, UnsendableError

CONNECT_S = 3.0

# Shorter than any peer's, so that we never write into a connection that is just being closed.
_KEEP_ALIVE_S = 4.0
_NEXT_ADDRESS_S = 0.25
"""Before the next of a host's addresses is tried too."""


class NothingLeftError(Exception):
    """There was no connection to write to; its cause says why."""


class _Peer(NamedTuple):
    host: str
    port: int
    is_secret: bool


class Caller:
    """The pump's way to its providers.

    The numbers share it, so it bounds no connections: one whose provider hangs would leave the others none.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._tls = ssl.create_default_context()
        self._tls.set_alpn_protocols(["http/1.1"])
        self._idle: defaultdict[_Peer, deque[PeerConnection]] = defaultdict(deque)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()

    async def ask(self, request: HttpRequest) -> tuple[int, bytes]:
        """Status and body of the answer; raises NothingLeftError, NoAnswerError (nobody can know), UnsendableError."""
        began = time.monotonic()
        peer, head = _head(request.method, request.url, tuple(request.headers.items()))
        connection = self._kept(peer) or await self._connect(peer)
        answer = await connection.ask(
            head + b"%d\r\n\r\n" % len(request.body), request.body, began + self._timeout_s - time.monotonic()
        )
        if connection.is_reusable:
            self._idle[peer].append(connection)
        return answer

    def _kept(self, peer: _Peer) -> PeerConnection | None:
        """The one used last, so that those beyond what is needed grow old; whatever is older than it goes with it."""
        connections = self._idle[peer]
        while connections:
            connection = connections.pop()
            if connection.is_open and time.monotonic() - connection.idle_since < _KEEP_ALIVE_S:
                return connection
            connection.close()
        return None

    async def _connect(self, peer: _Peer) -> PeerConnection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(0.8 * self._timeout_s):
                async with asyncio.timeout(CONNECT_S):
                    found = await loop.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
                    taken = await aiohappyeyeballs.start_connection(
                        found, happy_eyeballs_delay=_NEXT_ADDRESS_S, interleave=1
                    )
                taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                tls, name = (self._tls, peer.host) if peer.is_secret else (None, None)
                _, connection = await loop.create_connection(PeerConnection, sock=taken, ssl=tls, server_hostname=name)
        except (OSError, TimeoutError) as error:
            raise NothingLeftError(type(error).__name__) from error
        return connection


@lru_cache(maxsize=256)
def _head(method: str, address: str, headers: tuple[tuple[str, str], ...]) -> tuple[_Peer, bytes]:
    """Whom to call, and the request's head as far as the length of its body."""
    url = URL(address)
    if url.scheme not in ("http", "https") or not url.raw_host:
        raise UnsendableError("a provider's address must begin with http:// or https:// and name a host")
    given = {"Host": url.host_port_subcomponent or "", "Accept": "*/*", "User-Agent": "Backchat", **dict(headers)}
    lines = [f"{method} {url.raw_path_qs} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    if any(end in line for line in lines for end in "\r\n\0"):
        raise UnsendableError("a header holds the end of a line")
    head = "\r\n".join([*lines, "Content-Length: "]).encode()
    return _Peer(url.raw_host, url.port or 0, url.scheme == "https"), head
