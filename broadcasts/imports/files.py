"""Uploaded files, kept in the database in pieces of 1 MiB so that a worker on any host can read them."""

import hashlib
import io
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.language import _
from bot.models.imports import FilePiece, StoredFile

PIECE_BYTES = 1024 * 1024
LARGEST_BYTES = 200 * 1024 * 1024

Transaction = Callable[[], AbstractContextManager[Session]]


class FileTooLargeError(ValueError):
    """The file is above LARGEST_BYTES; the text says so to a person."""


def store(session: Session, name: str, source: IO[bytes]) -> StoredFile:
    """Copy `source` from where it stands to its end, a piece at a time; raises FileTooLargeError."""
    stored = StoredFile(name=display_name(name), size=0, sha256="")
    session.add(stored)
    session.flush()
    digest = hashlib.sha256()
    for seq, data in enumerate(iter(lambda: _read_piece(source), b"")):
        stored.size += len(data)
        if stored.size > LARGEST_BYTES:
            raise FileTooLargeError(
                _(
                    "The file is larger than %(largest_bytes)s MiB: split it in two or more.",
                    largest_bytes=LARGEST_BYTES // 1024**2,
                )
            )
        digest.update(data)
        session.add(FilePiece(file_id=stored.id, seq=seq, data=data))
        session.flush()
        session.expunge_all()
        session.add(stored)
    stored.sha256 = digest.hexdigest()
    session.flush()
    return stored


def display_name(name: str) -> str:
    """What to call an upload on pages and downloads: no folders, no control characters, 120 characters at most."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(character for character in last if character.isprintable()).strip(" .")
    return shown[-120:] or "upload.csv"


def is_kept(session: Session, file_id: int) -> bool:
    """Whether there is anything to open; no file is stored empty."""
    return bool(session.scalar(select(select(FilePiece.file_id).where(FilePiece.file_id == file_id).exists())))


def open_file(transaction: Transaction, file_id: int) -> io.BufferedReader:
    """The file as a binary stream; each piece is read in a short transaction of its own."""
    return io.BufferedReader(_Pieces(transaction, file_id), PIECE_BYTES)


def local_copy(transaction: Transaction, file_id: int) -> IO[bytes]:
    """The file on this machine's disk for as long as it is open, so that reading it asks the database nothing."""
    copy = tempfile.SpooledTemporaryFile(PIECE_BYTES)  # noqa: SIM115 (whoever asked closes it)
    with closing(open_file(transaction, file_id)) as stored:
        shutil.copyfileobj(stored, copy, PIECE_BYTES)
    copy.seek(0)
    return copy


class _Pieces(io.RawIOBase):
    def __init__(self, transaction: Transaction, file_id: int) -> None:
        self._transaction = transaction
        self._file_id = file_id
        self._next = 0
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 (collections.abc.Buffer comes with Python 3.12)
        if not self._left:
            self._left = memoryview(self._fetch())
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._left))
        view[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _fetch(self) -> bytes:
        with self._transaction() as session:
            data = session.scalar(
                select(FilePiece.data).where(FilePiece.file_id == self._file_id, FilePiece.seq == self._next)
            )
        self._next += 1
        return data or b""


def _read_piece(source: IO[bytes]) -> bytes:
    """A full piece unless the source ends; a pipe may give less at a time than it was asked for."""
    parts = []
    wanted = PIECE_BYTES
    while wanted and (data := source.read(wanted)):
        parts.append(data)
        wanted -= len(data)
    return b"".join(parts)
