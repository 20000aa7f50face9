"""A load of ready-made HTTP/1.1 requests over keep-alive connections, with little work of its own per request."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import cast

import uvloop

_BLANK = b"\r\n\r\n"


@dataclass
class Load:
    """What came back: answers by status, and seconds from write to answer."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_s(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def post(path: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """One whole request as bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + _BLANK + body


def fire(port: int, requests: list[bytes], connections: int) -> Load:
    """Send every request once, `connections` at a time, to a server on loopback."""
    return uvloop.run(_fire(port, list(reversed(requests)), connections))


async def _fire(port: int, left: list[bytes], connections: int) -> Load:
    load = Load()
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(connections)]
    began = time.perf_counter()
    for end in ends:
        await loop.create_connection(lambda end=end: _Client(left, load, end), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*ends)
    load.seconds = time.perf_counter() - began
    return load


class _Client(asyncio.Protocol):
    """One connection: the next request leaves when the last one is answered."""

    def __init__(self, left: list[bytes], load: Load, end: asyncio.Future[None]) -> None:
        self.left, self.load, self.end = left, load, end
        self.buffer = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own class is no subclass of it
        self._next()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(_BLANK)
        if not found:
            return
        _, named, rest = head.lower().partition(b"content-length:")
        if len(body) < (int(rest.split(b"\r\n", 1)[0]) if named else 0):
            return
        self.buffer = b""
        self.load.latencies.append(time.perf_counter() - self.sent_at)
        self.load.statuses[int(head[9:12])] += 1
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.end.done():
            self.end.set_exception(error or ConnectionError("the server closed the connection"))

    def _next(self) -> None:
        if self.left:
            self.sent_at = time.perf_counter()
            self.transport.write(self.left.pop())
        else:
            self.end.set_result(None)
            self.transport.close()
