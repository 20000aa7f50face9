"""A folder of exports, the next of which goes on where the last one ended; what is not complete is never among them."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from bot.host import disk
from bot.insights.export import files, reading, views
from bot.insights.export.files import Manifest, Told, Wanted
from bot.runtime import Runtime

UNFINISHED: Final = ".unfinished"
"""Deeper than exports are, so that no pattern of a reader's meets it."""
_LOCK = ".lock"


class ExportError(Exception):
    """Nothing was exported; the text says why and what helps."""


def export(rt: Runtime, folder: Path, wanted: Wanted, *, anew: bool, told: Told = lambda _: None) -> Manifest:
    """Add an export to the folder: of what changed since its last one, or, if there is none or `anew`, of everything.

    Raises ExportError; whatever ends it, the folder holds complete exports alone.
    """
    try:
        with _alone(folder):
            earlier = newest(folder)
            if earlier is not None:
                _fits(folder, earlier, wanted)
            since = None if anew else earlier
            return _add(rt, folder, replace(wanted, since=since), told)
    except OSError as error:
        raise ExportError(
            f"{folder} cannot be written to ({error.strerror or error}): make room, or name a folder you may write to."
        ) from error
    except (psycopg.Error, SQLAlchemyError) as error:
        raise ExportError(
            f"The database broke the export off ({type(error).__name__}); nothing of it is left: run it again."
        ) from error


def newest(folder: Path) -> Manifest | None:
    found = []
    for place in folder.glob(f"*/{files.MANIFEST}"):
        try:
            found.append(files.read_manifest(place.parent))
        except ValueError as error:
            raise ExportError(f"{place} cannot be read ({error}): name a folder without exports of others.") from error
    return max(found, key=lambda each: each.exported_at, default=None)


def _fits(folder: Path, earlier: Manifest, wanted: Wanted) -> None:
    if earlier.environment != wanted.environment:
        raise ExportError(f"{folder} holds exports of {earlier.environment}: keep each environment in its own folder.")
    if earlier.is_pseudonymised != wanted.is_pseudonymised:
        held = "pseudonyms" if earlier.is_pseudonymised else "names and numbers"
        raise ExportError(f"{folder} holds exports with {held}: keep those with and those without in folders apart.")


def _add(rt: Runtime, folder: Path, wanted: Wanted, told: Told) -> Manifest:
    draft = folder / UNFINISHED
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
    part = draft / "export"
    part.mkdir(parents=True, mode=0o700)
    try:
        with reading.snapshot(rt) as snap:
            manifest = files.write(snap, rt.settings, wanted, part, told)
        for path in part.iterdir():
            path.chmod(0o600)
            disk.sync(path)
        disk.sync(part)
        part.rename(folder / manifest.name)
        shutil.copyfile(folder / manifest.name / views.NAME, draft / views.NAME)
        (draft / views.NAME).replace(folder / views.NAME)
        disk.sync(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two at once would each believe that theirs is the next one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ExportError(f"Somebody exports into {folder} at this moment: wait until they are done.") from error
    else:
        yield
    finally:
        os.close(descriptor)
