"""Where the bytes of media are kept: a folder or an S3-compatible bucket, one set of verbs for both."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from bot.host import disk
from bot.settings import Settings

_CHUNK = 256 * 1024
_PART = 5 * 1024 * 1024
_STALE_S = 3600
_BUCKET_TIMEOUT = timedelta(seconds=20)
"""Of one request, of which a large file takes several."""


class ShelfError(Exception):
    """The shelf cannot be used at the moment; the text names no key and no secret."""


class NoSuchFileError(ShelfError):
    pass


class Shelf(Protocol):
    """Files by key. A key is a name of ours: letters, digits and hyphens."""

    workbench: Path
    """A folder of this host for files that are not complete."""

    def put(self, key: str, draft: Path) -> None:
        """Keep the file at `draft`, which is then gone, in place of any that had the key; it outlives a power cut."""

    def read(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to before `stop`; raises NoSuchFileError before the first of them."""

    def remove(self, key: str) -> None:
        """Fine if there is none."""


class Folder:
    """Files by the first letters of their keys, so that no folder grows to millions of entries; mode 0600."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.workbench = root / "incoming"

    def put(self, key: str, draft: Path) -> None:
        with _telling():
            place = self._place(key)
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            disk.sync(draft)
            draft.replace(place)
            for folder in place.parents[:3]:
                disk.sync(folder)

    def read(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        pieces = _pieces(self._place(key), start, stop)
        with _telling():
            next(pieces)  # the file is open now, and whoever reads no further can close it
        return pieces

    def remove(self, key: str) -> None:
        with _telling():
            self._place(key).unlink(missing_ok=True)

    def _place(self, key: str) -> Path:
        return self._root / key[:2] / key[2:4] / key


class Bucket:
    """Objects under a prefix of a bucket; the library signs, repeats and sends large files in parts."""

    def __init__(self, store: S3Store, workbench: Path) -> None:
        self._store = store
        self.workbench = workbench

    def put(self, key: str, draft: Path) -> None:
        with _telling():
            obstore.put(self._store, key, draft, chunk_size=_PART, max_concurrency=4)
            draft.unlink()

    def read(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        if start >= stop:  # the protocol has no word for nothing
            return iter(())
        with _telling():
            found = obstore.get(self._store, key, options={"range": (start, stop)})
        return (bytes(piece) for piece in found.stream(min_chunk_size=_CHUNK))

    def remove(self, key: str) -> None:
        with _telling(), contextlib.suppress(NotFoundError, FileNotFoundError):
            obstore.delete(self._store, key)


def open_shelf(settings: Settings) -> Shelf:
    """The shelf that BACKCHAT_MEDIA names; connects to nothing yet."""
    if not settings.media.startswith("s3://"):
        return Folder(Path(settings.media) if settings.media else settings.home / "media")
    bucket, _, prefix = settings.media.removeprefix("s3://").partition("/")
    given = {
        "endpoint": settings.s3_endpoint,
        "region": settings.s3_region,
        "access_key_id": settings.s3_access_key,
        "secret_access_key": settings.s3_secret_key,
    }
    store = S3Store(
        bucket,
        prefix=prefix.strip("/") or None,
        config={name: value for name, value in given.items() if value},  # type: ignore[arg-type]  # a dict of its own kind
        client_options={"timeout": _BUCKET_TIMEOUT, "allow_http": (settings.s3_endpoint or "").startswith("http://")},
        retry_config={"max_retries": 2, "retry_timeout": 2 * _BUCKET_TIMEOUT},
    )
    return Bucket(store, settings.home / "media-incoming")


def new_draft(shelf: Shelf) -> Path:
    """An empty file of mode 0600 on the workbench."""
    with _telling():
        shelf.workbench.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=shelf.workbench)
        os.close(descriptor)
    return Path(name)


def clear_workbench(shelf: Shelf) -> None:
    """Throw away what killed workers left, long after any download may take."""
    with contextlib.suppress(OSError):
        for draft in shelf.workbench.iterdir():
            if draft.stat().st_mtime < time.time() - _STALE_S:
                draft.unlink(missing_ok=True)


def _pieces(place: Path, start: int, stop: int) -> Iterator[bytes]:
    with place.open("rb") as file:
        yield b""
        left = stop - file.seek(start)
        while left > 0 and (piece := file.read(min(_CHUNK, left))):
            left -= len(piece)
            yield piece


@contextlib.contextmanager
def _telling() -> Iterator[None]:
    """What goes wrong becomes a ShelfError that says so in words of ours: paths, keys and answers stay out of it."""
    try:
        yield
    except (FileNotFoundError, NotFoundError) as error:
        raise NoSuchFileError("the file is not where it was stored") from error
    except OSError as error:
        raise ShelfError(f"the folder for media cannot be used ({error.strerror})") from error
    except BaseError as error:
        raise ShelfError(f"the bucket for media cannot be used ({type(error).__name__})") from error
