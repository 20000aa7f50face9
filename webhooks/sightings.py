"""What a connection's address saw that is no webhook to keep: handshakes and refused requests, for the doctor.

Routes note it in memory; a thread writes it down every few seconds, so that a flood of them costs no statement each.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson
import structlog
from sqlalchemy import Engine, text

log = structlog.get_logger()

EVERY_S = 2.0

Detail = Callable[[], Mapping[str, Any]]
"""Asked for when the sighting is written, of the last of a kind only; without secrets and without the body."""

# The join leaves out what a connection removed meanwhile would refuse.
_KEEP = text("""
    INSERT INTO webhook_sighting AS s (connection_id, kind, at, count, detail)
    SELECT n.connection_id, n.kind, n.at, n.count, n.detail
      FROM jsonb_to_recordset(CAST(:rows AS jsonb))
           AS n(connection_id bigint, kind text, at timestamptz, count bigint, detail jsonb)
      JOIN connection c ON c.id = n.connection_id
     ORDER BY n.connection_id, n.kind
    ON CONFLICT (connection_id, kind) DO UPDATE
       SET at = greatest(s.at, excluded.at), count = s.count + excluded.count,
           detail = coalesce(excluded.detail, s.detail)
""")


class Kind(StrEnum):
    HANDSHAKE = "handshake"
    """Answered with its challenge."""
    HANDSHAKE_REFUSED = "handshake_refused"
    """A handshake whose token is wrong."""
    STRAY_GET = "stray_get"
    """A GET that is no handshake: somebody looked, or a redirect made a GET of a POST."""
    REFUSED = "refused"
    """A request that does not prove that it comes from the provider."""
    TOO_LARGE = "too_large"


_TOLD = frozenset({Kind.HANDSHAKE_REFUSED, Kind.REFUSED, Kind.TOO_LARGE})
"""What the log says too; here, because a line for each would let strangers fill the disk."""


@dataclass(slots=True)
class _Seen:
    at: datetime
    count: int = 0
    detail: Detail | None = None


class Sightings:
    """One per process."""

    def __init__(self, engine: Engine, every_s: float = EVERY_S) -> None:
        self._engine = engine
        self._every_s = every_s
        self._mutex = threading.Lock()
        self._asked = threading.Event()
        self._seen: dict[tuple[int, str], _Seen] = {}
        self._thread: threading.Thread | None = None

    def note(self, connection_id: int, kind: Kind, detail: Detail | None = None) -> None:
        """Return at once. The thread is made here, because none survives a fork."""
        now = datetime.now(UTC)
        with self._mutex:
            seen = self._seen.setdefault((connection_id, kind), _Seen(now))
            seen.at, seen.count, seen.detail = now, seen.count + 1, detail or seen.detail
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="sightings", daemon=True)
                self._thread.start()
        self._asked.set()

    def flush(self) -> None:
        """Write down what was noted since the last time; what cannot be written is forgotten, being evidence only."""
        with self._mutex:
            seen, self._seen = self._seen, {}
        if not seen:
            return
        for (connection_id, kind), one in seen.items():
            if kind in _TOLD:
                log.warning("webhook.not_taken", connection_id=connection_id, kind=kind, count=one.count)
        try:
            rows = [
                {"connection_id": connection_id, "kind": kind, "at": one.at, "count": one.count}
                | {"detail": _told(one.detail)}
                for (connection_id, kind), one in seen.items()
            ]
            with self._engine.begin() as connection:
                connection.execute(_KEEP, {"rows": orjson.dumps(rows).decode()})
        except Exception as error:  # noqa: BLE001 (nothing depends on it, and the next one should not need it)
            log.warning("sightings.not_kept", kinds=len(seen), error=type(error).__name__)

    def _serve(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            time.sleep(self._every_s)
            self.flush()


def _told(detail: Detail | None) -> dict[str, Any] | None:
    """The evidence, or None if there is none; a sighting without it is still one."""
    try:
        return dict(detail()) if detail is not None else None
    except Exception as error:  # noqa: BLE001 (it looks at what strangers sent)
        log.warning("sightings.no_evidence", error=type(error).__name__)
        return None
