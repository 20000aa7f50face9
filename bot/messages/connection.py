"""One kept connection to a provider, with at most one call on it; aiohttp's parser reads what comes back."""

import asyncio
import time
from typing import cast

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpResponseParser, RawResponseMessage
from aiohttp.streams import StreamReader

from bot import failpoints

_MOST_BYTES = 1 << 20
"""Of an answer; to a send it is a few hundred."""


class NoAnswerError(Exception):
    """Something of the call may have left, and no whole answer came back; names what happened."""


class PeerConnection(BaseProtocol):
    """`ask`, then ask again if it `is_reusable`."""

    __slots__ = ("_answer", "_asked", "_is_confused", "_reader", "idle_since", "is_reusable")

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(loop)
        self._reader = HttpResponseParser(self, loop, _MOST_BYTES, read_until_eof=True)
        self._asked: asyncio.Future[tuple[int, bytes]] | None = None
        self._answer: tuple[RawResponseMessage, StreamReader] | None = None
        self._is_confused = False
        """More came back than was asked for: no answer on this connection can be told from another's."""
        self.is_reusable = False
        self.idle_since = 0.0

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    async def ask(self, head: bytes, body: bytes, timeout_s: float) -> tuple[int, bytes]:
        """Status and body. Raises NoAnswerError, for whatever happens from here on."""
        self.is_reusable = False
        self._asked = self._loop.create_future()
        giving_up = self._loop.call_later(timeout_s, self._fail, "TimeoutError")
        try:
            self._write(head, body)
            return await self._asked
        finally:
            giving_up.cancel()
            self._asked = self._answer = None
            if not self.is_reusable:
                self.close()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def _write(self, head: bytes, body: bytes) -> None:
        transport = cast("asyncio.Transport", self.transport)
        if transport is None or transport.is_closing():
            self._fail("ConnectionResetError")
        elif failpoints.armed():
            self._write_in_steps(transport, head, body)
        else:
            transport.write(head + body)

    def _write_in_steps(self, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        """Failpoints within a call: connected (FP4), head written (FP5), all written and nothing read (FP6)."""
        failpoints.hit("FP4")
        transport.write(head)
        failpoints.hit("FP5")
        transport.write(body)
        # A few turns of the loop later the bytes are out.
        self._loop.call_soon(self._loop.call_soon, self._loop.call_soon, _hit_fp6)

    def data_received(self, data: bytes) -> None:
        if self._asked is None:  # nobody asked: whatever it is, the next answer could be taken for it
            self.close()
            return
        try:
            messages, is_upgraded, _ = self._reader.feed_data(data)
        except Exception as error:  # noqa: BLE001 (whatever the parser holds against it, it is no answer)
            self._fail(type(error).__name__)
            return
        for message, payload in messages:
            self._is_confused |= self._answer is not None
            if message.code >= 200:
                self._answer = message, payload
        if is_upgraded or self._is_confused or self._reading_paused:
            self._fail("BadAnswer")
        self._look()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._asked is not None and self._answer is not None:
            try:
                self._reader.feed_eof()
            except Exception as error:  # noqa: BLE001 (it ended too early)
                self._fail(type(error).__name__)
            self._look()
        self.is_reusable = False
        self._fail(type(exc).__name__ if exc else "ServerDisconnectedError")
        super().connection_lost(exc)

    def _look(self) -> None:
        """Whether the answer is whole."""
        if self._answer is None or self._asked is None or self._asked.done():
            return
        message, payload = self._answer
        if payload.is_eof():
            self._answer = None  # reading it resumes the connection, which looks again
            self.idle_since = time.monotonic()
            self.is_reusable = not message.should_close and self.is_open
            try:
                self._asked.set_result((message.code, payload.read_nowait()))
            except Exception as error:  # noqa: BLE001 (a body that could not be read)
                self._fail(type(error).__name__)

    def _fail(self, why: str) -> None:
        if self._asked is not None and not self._asked.done():
            self.is_reusable = False
            self._asked.set_exception(NoAnswerError(why))


def _hit_fp6() -> None:
    if failpoints.armed("FP6"):
        time.sleep(0.2)  # the loop stands still: the answer may arrive, but nobody reads it
        failpoints.hit("FP6")
