"""Bodies become durable: rows in the database, or files in the spool while the database is away."""

import threading
import time
from collections.abc import Callable, Sequence

import psycopg
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from bot.runtime import Runtime
from webhooks.clerk import Clerk
from webhooks.spool import Spool
from webhooks.store import Entry, RefusedError, store

log = structlog.get_logger()

GROUP_BYTES = 8 * 1024 * 1024
PATIENCE_S = 2.0
"""How long a request waits for the database before it turns to the spool."""
DISK_PATIENCE_S = 10.0
_PROBE_S = 0.5
_REDIS_AWAY_S = 1.0


class NotStoredError(Exception):
    """The body is neither in the database nor in the spool; the provider has to send it again."""


class Inbox:
    """One per process; `ring` is called from a thread of its own, so that a slow Redis never holds up an answer."""

    def __init__(self, engine: Engine, spool: Spool, ring: Callable[[], object]) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._spool = spool
        self._writer: Clerk[Entry, None] = Clerk("writer", self._write, _size, GROUP_BYTES)
        self._spooler: Clerk[Entry, None] = Clerk("spooler", self._write_down, _size, GROUP_BYTES)
        self._bell = Bell(ring)
        self._mutex = threading.Lock()
        self._keeper: threading.Thread | None = None
        self._is_away = False

    def put(self, entry: Entry) -> None:
        """Return once the entry is durable, or was already; raises NotStoredError."""
        if not self._is_away:
            try:
                return self._writer.ask(entry, PATIENCE_S)
            except RefusedError:
                pass  # the spool keeps it and says so, which is more than the provider could do about it
            except Exception as error:  # noqa: BLE001 (whatever the database has, the spool is for it)
                self._give_up_on_database(error)
        try:
            self._spooler.ask(entry, DISK_PATIENCE_S)
        except Exception as error:
            raise NotStoredError from error
        finally:
            self._keep()

    def _write(self, entries: Sequence[Entry]) -> list[Exception | None]:
        stored = store(self._engine, entries)
        if stored.rows:
            self._bell.ring()
        return [RefusedError() if entry.key in stored.refused else None for entry in entries]

    def _write_down(self, entries: Sequence[Entry]) -> list[None]:
        try:
            self._spool.write(entries)
        except OSError as error:
            log.error("inbox.not_stored", entries=len(entries), error=type(error).__name__)  # noqa: TRY400 (no bodies)
            raise
        return [None] * len(entries)

    def _give_up_on_database(self, error: Exception) -> None:
        with self._mutex:
            was_away, self._is_away = self._is_away, True
        if not was_away:
            log.error("inbox.database_away", error=type(error).__name__)

    def _keep(self) -> None:
        with self._mutex:
            if self._keeper is None or not self._keeper.is_alive():
                self._keeper = threading.Thread(target=self._look_after_spool, name="keeper", daemon=True)
                self._keeper.start()

    def _look_after_spool(self) -> None:
        """Ask for the database until it is back, then empty the spool into it."""
        told = ""
        while True:
            try:
                store(self._engine, ())
                with self._mutex:
                    was_away, self._is_away = self._is_away, False
                if was_away:
                    log.info("inbox.database_back")
                if drain(self._engine, self._spool):
                    self._bell.ring()
                with self._mutex:
                    if not self._is_away and not self._spool.waiting():
                        self._keeper = None
                        return
            except Exception as error:  # noqa: BLE001 (nobody else would try again)
                if told != (told := type(error).__name__):
                    log.warning("inbox.spool_waits", error=told)
            time.sleep(_PROBE_S)


def drain(engine: Engine, spool: Spool) -> int:
    """Store what the spool holds; number of files that went. Raises when the database cannot take anything now."""
    return spool.drain(lambda entries: not store(engine, entries).refused)


def sweep_spool(rt: Runtime) -> None:
    """Store what web processes of this host have left in the spool and did not live to store themselves."""
    spool = Spool(rt.settings.spool, rt.settings.spool_max_bytes)
    try:
        if drain(rt.engine.execution_options(isolation_level="AUTOCOMMIT"), spool):
            rt.ring("intake")
    except (psycopg.Error, SQLAlchemyError) as error:
        log.warning("spool.not_drained", error=type(error).__name__)


class Bell:
    """Rings from a thread of its own; calls while it is busy become one."""

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._asked = threading.Event()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Return at once; called by one thread at a time. The thread is made here, because none survives a fork."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._serve, name="bell", daemon=True)
            self._thread.start()
        self._asked.set()

    def _serve(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            try:
                heard = self._ring()
            except Exception as error:  # noqa: BLE001 (the sweep rings too, but the next body should not need it)
                log.warning("bell.failed", error=type(error).__name__)
                heard = False
            if heard is False:
                time.sleep(_REDIS_AWAY_S)


def _size(entry: Entry) -> int:
    return len(entry.body)
