"""Makes an export that was asked for on the page: Parquet in a folder of this host's, then one ZIP on the shelf."""

import shutil
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import psycopg
import structlog
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from bot import ending
from bot.insights.export import files, orders, reading
from bot.insights.export.files import Manifest, Wanted
from bot.insights.export.shapes import Progress
from bot.media.shelf import ShelfError, new_draft, open_shelf
from bot.models.export import RawExport
from bot.runtime import Runtime

log = structlog.get_logger()

DRAFTS: Final = "export-drafts"
"""In the data folder, one for each export; a run that was killed leaves its own to the next one."""
_TOLD_S = 1.0


class _Ending(Exception):  # noqa: N818 (nothing went wrong)
    """This worker was told to end."""


class _LostError(Exception):
    """Somebody else is at it, or it is gone."""


def make(rt: Runtime, claimed: RawExport) -> None:
    """To its end, whatever that is, in as long as it takes."""
    try:
        with _folder(rt, claimed) as folder:
            manifest = _write(rt, claimed, folder)
            _keep(rt, claimed, manifest, folder)
    except _Ending:
        with rt.transaction() as session:
            orders.give_back(session, claimed)
    except _LostError:
        log.warning("export.lost", export=claimed.id)
    except ShelfError as error:
        _fail(rt, claimed, error, orders.NO_SHELF)
    except OSError as error:
        _fail(rt, claimed, error, orders.NO_DISK)
    except (psycopg.OperationalError, OperationalError, InterfaceError) as error:
        # The database may be away for a note of this, too: the lease ends by itself, and it begins anew.
        log.warning("export.put_off", export=claimed.id, error=type(error).__name__)
    except (psycopg.Error, SQLAlchemyError) as error:
        _fail(rt, claimed, error, orders.NO_DATABASE)


def _fail(rt: Runtime, claimed: RawExport, error: Exception, said: str) -> None:
    log.warning("export.failed", export=claimed.id, error=type(error).__name__)
    with rt.transaction() as session:
        orders.fail(session, claimed, said)


def _write(rt: Runtime, claimed: RawExport, folder: Path) -> Manifest:
    with rt.transaction() as session:
        earlier = session.get(RawExport, claimed.since_id) if claimed.since_id is not None else None
        since = files.from_json(earlier.manifest) if earlier is not None and earlier.manifest else None
    wanted = Wanted(claimed.environment, is_pseudonymised=claimed.is_pseudonymised, since=since)
    due = [time.monotonic()]

    def tell(progress: Progress) -> None:
        if ending.is_told():
            raise _Ending
        if time.monotonic() >= due[0]:
            due[0] = time.monotonic() + _TOLD_S
            _note(rt, claimed, progress)

    with reading.snapshot(rt) as snap:
        return files.write(snap, rt.settings, wanted, folder, tell)


def _note(rt: Runtime, claimed: RawExport, progress: Progress) -> None:
    with rt.transaction() as session:
        if not orders.note(session, claimed, progress):
            raise _LostError


def _keep(rt: Runtime, claimed: RawExport, manifest: Manifest, folder: Path) -> None:
    shelf = open_shelf(rt.settings)
    draft, key = new_draft(shelf), uuid.uuid4().hex
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as packed:  # Parquet is compressed already
        for path in sorted(folder.iterdir()):
            packed.write(path, path.name if path.name == files.VIEWS else f"{manifest.name}/{path.name}")
            path.unlink()
    size = draft.stat().st_size
    _note(rt, claimed, Progress("", len(manifest.rows), sum(manifest.rows.values())))
    shelf.put(key, draft)
    with rt.transaction() as session:
        is_mine = orders.finish(session, claimed, asdict(manifest), size, key)
    if not is_mine:
        shelf.remove(key)
        raise _LostError
    log.info("export.made", export=claimed.id, rows=sum(manifest.rows.values()), bytes=size)


@contextmanager
def _folder(rt: Runtime, claimed: RawExport) -> Iterator[Path]:
    place = rt.settings.home / DRAFTS / str(claimed.id)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
