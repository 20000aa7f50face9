import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson

BLOCK = 1 << 20
GATHER_S = 0.003
"""A turn of the disk costs as much CPU as answering some sends, so that as many as can should share it."""


class LedgerError(OSError):
    """The disk did not take the line, so the send was not accepted."""


class _Group:
    """The sends that share one fsync."""

    __slots__ = ("done", "error", "lines")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.done = asyncio.Event()
        self.error: OSError | None = None


class Ledger:
    """The log of accepted sends: one JSON object a line, on the disk before anybody is told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._size, self.count = _mend(self._file)
        # One thread: groups must reach the disk in order.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._group = _Group()
        self._writing: asyncio.Task[None] | None = None

    def next_number(self) -> int:
        self.count += 1
        return self.count

    async def append(self, entry: dict[str, Any]) -> None:
        """Return once the entry is fsynced; raises LedgerError when the disk refused it."""
        group = self._group
        group.lines.append(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await group.done.wait()
        if group.error is not None:
            raise LedgerError(f"{self.path}: {group.error.strerror}") from group.error

    async def _write(self) -> None:
        """While one group is on its way to the disk the next one gathers, and a moment longer."""
        loop = asyncio.get_running_loop()
        while self._group.lines:
            await asyncio.sleep(GATHER_S)
            group, self._group = self._group, _Group()
            try:
                await loop.run_in_executor(self._thread, self._put, b"".join(group.lines))
            except OSError as error:
                group.error = error
            group.done.set()
        self._writing = None

    def _put(self, block: bytes) -> None:
        try:
            written = 0
            while written < len(block):
                written += os.write(self._file, block[written:])
            os.fsync(self._file)
        except OSError:
            # Nobody was told about these lines, so none may stay.
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(block)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every entry on the disk, oldest first; blocking, so call it from a thread."""
        with self.path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield orjson.loads(line)

    def clear(self) -> None:
        os.ftruncate(self._file, 0)
        os.fsync(self._file)
        self._size = self.count = 0

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing
        self._thread.shutdown(wait=True)
        os.close(self._file)


def _mend(file: int) -> tuple[int, int]:
    """Cut off a torn last line (its sender was never answered); return size and highest `n`."""
    size = os.fstat(file).st_size
    tail = b""
    start = size
    while start > 0 and tail.count(b"\n") < 2:
        length = min(BLOCK, start)
        start -= length
        tail = os.pread(file, length, start) + tail
    whole = tail[: tail.rfind(b"\n") + 1]
    size = start + len(whole)
    os.ftruncate(file, size)
    last = whole.rstrip(b"\n").rpartition(b"\n")[2]
    return size, int(orjson.loads(last)["n"]) if last else 0
