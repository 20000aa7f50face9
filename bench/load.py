"""A load of ready-made HTTP/1.1 requests over keep-alive connections, with little work of its own per request."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable
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

    def share_above(self, seconds: float) -> float:
        return sum(latency > seconds for latency in self.latencies) / len(self.latencies)

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


def offer(port: int, schedule: list[tuple[float, bytes]], connections: int) -> Load:
    """Send each request at its time (seconds from now), answered or not: what waits for a connection waits too long."""
    return uvloop.run(_offer(port, schedule, connections))


async def _offer(port: int, schedule: list[tuple[float, bytes]], connections: int) -> Load:
    load = Load()
    loop = asyncio.get_running_loop()
    idle: deque[_Caller] = deque()  # the one that rested longest goes first: a server closes what is idle for long
    due: deque[tuple[float, bytes]] = deque()

    all_idle = asyncio.Event()

    def next_of(caller: _Caller) -> None:
        if due:
            caller.call(*due.popleft())
            return
        idle.append(caller)
        if len(idle) == connections and len(load.latencies) == len(schedule):
            all_idle.set()

    for _ in range(connections):
        await loop.create_connection(lambda: _Caller(load, next_of), "127.0.0.1", port)
    began = time.perf_counter()
    for at, request in schedule:
        await asyncio.sleep(max(0.0, began + at - time.perf_counter()))
        if idle:
            idle.popleft().call(began + at, request)
        else:
            due.append((began + at, request))
    await all_idle.wait()
    load.seconds = time.perf_counter() - began
    for caller in idle:
        caller.transport.close()
    return load


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


class _Connection(asyncio.Protocol, ABC):
    """A keep-alive connection with one request on it at a time; its latency counts from `asked_at`."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.buffer = b""
        self.asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own class is no subclass of it
        self.rest()

    def call(self, asked_at: float, request: bytes) -> None:
        self.asked_at = asked_at
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(_BLANK)
        if not found:
            return
        _, named, rest = head.lower().partition(b"content-length:")
        if len(body) < (int(rest.split(b"\r\n", 1)[0]) if named else 0):
            return
        self.buffer = b""
        self.load.latencies.append(time.perf_counter() - self.asked_at)
        self.load.statuses[int(head[9:12])] += 1
        self.rest()

    @abstractmethod
    def rest(self) -> None:
        """The connection is free."""


class _Client(_Connection):
    """The next request leaves when the last one is answered."""

    def __init__(self, left: list[bytes], load: Load, end: asyncio.Future[None]) -> None:
        super().__init__(load)
        self.left, self.end = left, end

    def rest(self) -> None:
        if self.left:
            self.call(time.perf_counter(), self.left.pop())
        else:
            self.end.set_result(None)
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.end.done():
            self.end.set_exception(error or ConnectionError("the server closed the connection"))


class _Caller(_Connection):
    """Asks for work whenever it is free."""

    def __init__(self, load: Load, next_of: Callable[["_Caller"], None]) -> None:
        super().__init__(load)
        self.next_of = next_of

    def rest(self) -> None:
        self.next_of(self)
