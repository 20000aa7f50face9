"""Connections as the hot path needs them, with their secrets opened; usable while the database is away."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import select

from bot.connections import connections
from bot.connections.secrets import SealError
from bot.models.connection import Connection
from bot.providers.base import Account, Provider
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime
from webhooks.clerk import Clerk

log = structlog.get_logger()

FRESH_S = 5.0
"""How long a process may still use an account's old secrets, while the database can be asked."""
PATIENCE_S = 2.0
STALE_PATIENCE_S = 0.5
"""How long a request waits for news of a connection that its process knows already."""
_AWAY_S = 1.0


class UnknownYetError(Exception):
    """The database cannot be asked whether there is such a connection."""


@dataclass(frozen=True, slots=True)
class Line:
    connection_id: int
    provider: Provider
    account: Account
    fresh_until: float


class Lines:
    """One per process."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._known: dict[str, Line] = {}
        self._clerk: Clerk[str, Line | None] = Clerk("lines", self._load)

    def find(self, slug: str) -> Line | None:
        """The connection, at most a few seconds old; None if there is none; raises UnknownYetError."""
        if not connections.SLUG.fullmatch(slug):
            return None  # the database would not even take some of these, and refuse everybody asked for with them
        line = self._known.get(slug)
        if line is not None and line.fresh_until >= time.monotonic():
            return line
        try:
            found = self._clerk.ask(slug, PATIENCE_S if line is None else STALE_PATIENCE_S)
        except Exception as error:
            log.warning("webhook.connection_not_asked", connection=slug, error=type(error).__name__)
            if line is None:
                raise UnknownYetError from error
            found = replace(line, fresh_until=time.monotonic() + _AWAY_S)
        if found is None:
            self._known.pop(slug, None)
        else:
            self._known[slug] = found
        return found

    def _load(self, slugs: Sequence[str]) -> list[Line | Exception | None]:
        with self._rt.sessions() as session:
            rows = session.scalars(select(Connection).where(Connection.slug.in_(slugs)))
            found = {connection.slug: self._opened(connection) for connection in rows}
        return [found.get(slug) for slug in slugs]

    def _opened(self, connection: Connection) -> Line | Exception:
        try:
            account = connections.account_of(connection, self._rt.settings)
            return Line(connection.id, PROVIDERS[connection.provider], account, time.monotonic() + FRESH_S)
        except (SealError, KeyError) as error:  # one that cannot be used is not to close the others
            return error
