"""Where bodies wait on this host's disk while the database cannot take them: a file for each group, fsynced.

Several processes may drain the same folder; a file that two of them take makes one event, by its digest.
"""

import fcntl
import hashlib
import hmac
import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson
import structlog

from bot import failpoints
from bot.host import disk
from webhooks.store import Entry

log = structlog.get_logger()

_WAITING = ".spool"
_CORRUPT = ".corrupt"
_HALF_MADE = ".tmp"
WAITING = f"*{_WAITING}"
CORRUPT = f"*{_CORRUPT}"
"""Patterns of the files' names."""
_MAGIC = b"backchat spool 1\n"
_STALE_S = 3600
"""A half-made file this old has lost its writer; it was never acknowledged."""
_MEASURED_S = 1.0

_serial = itertools.count(1)


class SpoolFullError(OSError):
    """It holds as much as BACKCHAT_SPOOL_MAX_BYTES allows."""


class CorruptError(ValueError):
    """A file is not as it was written."""


@dataclass(frozen=True, slots=True)
class Contents:
    """`files` and `bytes` wait; `corrupt` files were set aside and need a person."""

    files: int
    bytes: int
    corrupt: int


class Spool:
    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._held = 0
        self._measured_at = float("-inf")

    def write(self, entries: Sequence[Entry]) -> None:
        """Return once all entries are durable, in one file; raises OSError, and then none of them may be relied on."""
        content = _packed(entries)
        self._make_room(len(content))
        name = f"{time.time_ns():020d}-{os.getpid()}-{next(_serial)}"
        half_made = self._folder / f"{name}{_HALF_MADE}"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(half_made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            failpoints.hit("IN5")
            half_made.rename(self._folder / f"{name}{_WAITING}")
        except OSError:
            with suppress(OSError):
                half_made.unlink()
            raise
        disk.sync(self._folder)
        self._held += len(content)

    def drain(self, take: Callable[[Sequence[Entry]], bool]) -> int:
        """Hand each file's entries to `take`, oldest first, and delete it; number of files that went.

        What `take` raises ends the round and the file stays; a file it answers False to is set aside.
        """
        gone = 0
        for path in self.waiting():
            with _claimed(path) as file:
                if file is None:
                    continue
                try:
                    entries = _unpacked(file.read())
                except CorruptError:
                    _set_aside(path)
                    continue
                if take(entries):
                    failpoints.hit("IN6")
                    path.unlink()
                    gone += 1
                else:
                    _set_aside(path)
        self._forget_half_made()
        return gone

    def waiting(self) -> list[Path]:
        return sorted(self._folder.glob(WAITING))

    def _make_room(self, size: int) -> None:
        if time.monotonic() - self._measured_at > _MEASURED_S:  # others write and drain here too
            self._held = measure(self._folder).bytes
            self._measured_at = time.monotonic()
        if self._held + size > self._limit:
            raise SpoolFullError

    def _forget_half_made(self) -> None:
        for path in self._folder.glob(f"*{_HALF_MADE}"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_S:
                    path.unlink()


def measure(folder: Path) -> Contents:
    """What a spool holds; nothing if there is no such folder."""
    files = size = corrupt = 0
    with suppress(OSError), os.scandir(folder) as found:
        for file in found:
            with suppress(FileNotFoundError):  # somebody has drained it
                if file.name.endswith(_WAITING):
                    size += file.stat().st_size
                    files += 1
            corrupt += file.name.endswith(_CORRUPT)
    return Contents(files, size, corrupt)


def _packed(entries: Sequence[Entry]) -> bytes:
    parts = []
    for entry in entries:
        head = {
            "connection_id": entry.connection_id,
            "content_type": entry.content_type,
            "digest": entry.digest.hex(),
            "headers": entry.headers and dict(entry.headers),
            "size": len(entry.body),
        }
        parts += [orjson.dumps(head), b"\n", entry.body]
    content = b"".join(parts)
    return _MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def _unpacked(packed: bytes) -> list[Entry]:
    seal = packed[len(_MAGIC) : len(_MAGIC) + 65]
    content = packed[len(_MAGIC) + 65 :]
    whole = hashlib.sha256(content).hexdigest().encode() + b"\n"
    if not packed.startswith(_MAGIC) or not hmac.compare_digest(seal, whole):
        raise CorruptError
    entries, at = [], 0
    while at < len(content):
        line = content.index(b"\n", at)
        head = orjson.loads(content[at:line])
        at = line + 1 + head.pop("size")
        digest = bytes.fromhex(head.pop("digest"))
        entries.append(Entry(**head, digest=digest, body=content[line + 1 : at]))
    return entries


@contextmanager
def _claimed(path: Path) -> Iterator[IO[bytes] | None]:
    """The file, which no other process drains meanwhile; None if one does, or has."""
    try:
        file = path.open("rb")
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            log.error("spool.unreadable", file=path.name, error=type(error).__name__)  # noqa: TRY400 (its name is enough)
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
        else:
            yield file if os.fstat(file.fileno()).st_nlink else None


def _set_aside(path: Path) -> None:
    log.error("spool.corrupt", file=path.name)
    path.rename(path.with_suffix(_CORRUPT))
