"""Erasures outside the database, a line each, written before they commit: a restored backup does not know of them.

A line holds keyed hashes and the number of a row, so that the file says of nobody who they were.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson
import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.host import disk

log = structlog.get_logger()

HELD: Final = (
    "the database is older than the ledger of erasures, from a backup perhaps: nothing is sent until the clock, or "
    "`backchat person reapply-erasures`, has erased again whoever was erased since."
)
_TAIL = 64 * 1024
"""Bytes at the end that a sender looks at: a database from before anything lacks the newest, too."""

_KNOWN = text("SELECT key FROM erasure WHERE key = ANY(CAST(:keys AS text[]))")


class LedgerError(Exception):
    """The file cannot be read or written; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """An erasure, or with an empty `key` the lifting of what one suppressed."""

    key: str
    environment: str
    person_id: int
    digests: tuple[bytes, ...]
    at: datetime


def write(path: Path, line: Line) -> None:
    """Return once the line is on the disk; raises LedgerError, and then the erasure must not commit."""
    told = {
        "key": line.key,
        "environment": line.environment,
        "person_id": line.person_id,
        "digests": [digest.hex() for digest in line.digests],
        "at": line.at.astimezone(UTC).isoformat(),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            is_cut_off = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, b"\n" * is_cut_off + orjson.dumps(told) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        disk.sync(path.parent)
    except OSError as error:
        raise LedgerError(
            f"The ledger of erasures cannot be written ({error.strerror}), so nobody is erased: "
            "let Backchat write to BACKCHAT_ERASURE_LEDGER."
        ) from error


def read(path: Path, last_bytes: int | None = None) -> list[Line]:
    """The lines in their order; with `last_bytes` those at the end of the file. A line cut off by a crash is none."""
    try:
        with path.open("rb") as file:
            if last_bytes is not None and (size := os.fstat(file.fileno()).st_size) > last_bytes:
                file.seek(size - last_bytes)
                file.readline()
            return list(_lines(file))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerError(
            f"The ledger of erasures cannot be read ({error.strerror}): let Backchat read BACKCHAT_ERASURE_LEDGER."
        ) from error


def missing(session: Session, lines: Sequence[Line]) -> list[Line]:
    """The erasures among the lines that the database does not know: it is older than they are."""
    keys = [line.key for line in lines if line.key]
    known = set(session.scalars(_KNOWN, {"keys": keys})) if keys else set()
    return [line for line in lines if line.key and line.key not in known]


def is_behind(session: Session, path: Path) -> bool:
    """Whether the database is from before one of the newest erasures; where the ledger cannot be read, so it seems."""
    try:
        return bool(missing(session, read(path, _TAIL)))
    except LedgerError as error:
        log.error("ledger.unreadable", problem=str(error))  # noqa: TRY400 (the sentence says it all)
        return True


def _lines(file: Iterable[bytes]) -> Iterator[Line]:
    for raw in file:
        try:
            told = orjson.loads(raw)
            found = tuple(bytes.fromhex(digest) for digest in told["digests"])
            at = datetime.fromisoformat(told["at"])
            yield Line(told["key"], told["environment"], told["person_id"], found, at)
        except (ValueError, KeyError, TypeError):
            continue
