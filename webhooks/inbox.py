"""Bodies become durable rows, many in one commit: whoever finds no writer at work writes for all who wait."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import orjson
import psycopg
import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bot import failpoints
from webhooks import partitions

log = structlog.get_logger()

GROUP_ROWS = 512
GROUP_BYTES = 8 * 1024 * 1024
_REDIS_AWAY_S = 1.0

# Digests go in sorted, so that two processes with the same bodies wait for each other in one order; the events keep
# the order in which they came. The join makes one event of one fresh digest: `_try` hands in each body once.
_INSERT = """
    WITH given AS (
        SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::text[], %s::bytea[], %s::jsonb[])
            WITH ORDINALITY AS g(connection_id, digest, content_type, body, headers, place)),
    fresh AS (
        INSERT INTO webhook_digest (connection_id, digest)
        SELECT connection_id, digest FROM given ORDER BY connection_id, digest
        ON CONFLICT DO NOTHING
        RETURNING connection_id, digest)
    INSERT INTO webhook_event (connection_id, content_type, body, headers)
    SELECT connection_id, content_type, body, headers FROM given JOIN fresh USING (connection_id, digest) ORDER BY place
"""


class NotStoredError(Exception):
    """The body is not in the database; the provider has to send it again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A verified body; `digest` is the SHA-256 of it and of its kept headers."""

    connection_id: int
    content_type: str | None
    body: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    """Those the provider's parser needs, by lower-case name."""


class _Ticket:
    """One waiting thread. Its turn is over when it is woken: with its entry stored, with an error, or to write."""

    __slots__ = ("entry", "error", "is_settled", "woken")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.error: Exception | None = None
        self.is_settled = False
        self.woken = threading.Lock()
        self.woken.acquire()


class Inbox:
    """One per process; `ring` is called from a thread of its own, so that a slow Redis never holds up an answer."""

    def __init__(self, engine: Engine, ring: Callable[[], object]) -> None:
        self._engine = engine
        self._writer = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._mutex = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._is_writing = False
        self._bell = Bell(ring)

    def put(self, entry: Entry) -> None:
        """Return once the entry is durable, or was already; raises NotStoredError."""
        ticket = _Ticket(entry)
        with self._mutex:
            self._waiting.append(ticket)
            writes = not self._is_writing
            self._is_writing = True
        if not writes:
            ticket.woken.acquire()
        if not ticket.is_settled:
            self._write_for_all()
        if ticket.error is not None:
            raise NotStoredError from ticket.error

    def _write_for_all(self) -> None:
        with self._mutex:
            group = _take(self._waiting)
        error = self._try([ticket.entry for ticket in group])
        with self._mutex:
            successor = self._waiting[0] if self._waiting else None
            self._is_writing = successor is not None
        if successor is not None:
            successor.woken.release()
        for ticket in group:
            ticket.is_settled, ticket.error = True, error
            ticket.woken.release()

    def _try(self, entries: Sequence[Entry]) -> Exception | None:
        unique = list({(entry.connection_id, entry.digest): entry for entry in entries}.values())
        try:
            try:
                stored = self._insert(unique)
            except psycopg.errors.CheckViolation:  # a month that nobody has made a partition for
                self._make_partitions()
                stored = self._insert(unique)
        except Exception as error:  # noqa: BLE001 (whatever it is, everybody who waits has to be told)
            log.error("inbox.not_stored", entries=len(unique), error=type(error).__name__)  # noqa: TRY400 (no bodies)
            return error
        if stored:
            self._bell.ring()
        return None

    def _insert(self, entries: Sequence[Entry]) -> int:
        """Number of rows made; fewer than entries when bodies were known already. One statement, one commit."""
        columns = (
            [entry.connection_id for entry in entries],
            [entry.digest for entry in entries],
            [entry.content_type for entry in entries],
            [entry.body for entry in entries],
            [entry.headers and orjson.dumps(dict(entry.headers)).decode() for entry in entries],
        )
        failpoints.hit("IN1")
        with self._writer.connect() as connection:
            driver = cast("psycopg.Connection", connection.connection.driver_connection)
            stored = driver.execute(_INSERT, columns).rowcount
        failpoints.hit("IN2")
        return stored

    def _make_partitions(self) -> None:
        with Session(self._engine) as session, session.begin():
            partitions.ensure(session)


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


def _take(waiting: list[_Ticket]) -> list[_Ticket]:
    """Cut the next group off `waiting`: at least one, then as many as fit."""
    size = count = 0
    for ticket in waiting[:GROUP_ROWS]:
        size += len(ticket.entry.body)
        if count and size > GROUP_BYTES:
            break
        count += 1
    group = waiting[:count]
    del waiting[:count]
    return group
