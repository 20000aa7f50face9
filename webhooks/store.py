"""Verified bodies become rows, many in one statement and one commit; a body that is known already becomes none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import orjson
import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bot import failpoints
from webhooks import partitions

# Digests go in sorted, so that two processes with the same bodies wait for each other in one order; the events keep
# the order in which they came. The join makes one event of one fresh digest: `store` hands in each body once. Binary
# parameters (%b) cost both sides a quarter of what arrays written as text do.
_INSERT = """
    WITH given AS (
        SELECT * FROM unnest(%b::bigint[], %b::bytea[], %b::text[], %b::bytea[], %b::text[]::jsonb[])
            WITH ORDINALITY AS g(connection_id, digest, content_type, body, headers, place)),
    fresh AS (
        INSERT INTO webhook_digest (connection_id, digest)
        SELECT connection_id, digest FROM given ORDER BY connection_id, digest
        ON CONFLICT DO NOTHING
        RETURNING connection_id, digest)
    INSERT INTO webhook_event (connection_id, content_type, body, headers)
    SELECT connection_id, content_type, body, headers FROM given JOIN fresh USING (connection_id, digest) ORDER BY place
"""

_NEVER = (psycopg.IntegrityError, psycopg.DataError)
"""What the database holds against an entry, today and tomorrow; any other error is the database's own trouble."""


class RefusedError(Exception):
    """The database will never take this entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A verified body; `digest` is the SHA-256 of it and of its kept headers."""

    connection_id: int
    content_type: str | None
    body: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    """Those the provider's parser needs, by lower-case name."""

    @property
    def key(self) -> tuple[int, bytes]:
        return self.connection_id, self.digest


@dataclass(frozen=True, slots=True)
class Stored:
    """`rows` is smaller than the number of entries when bodies were known; `refused` are keys of those never taken."""

    rows: int
    refused: frozenset[tuple[int, bytes]]


def store(engine: Engine, entries: Sequence[Entry]) -> Stored:
    """Returns once the entries are durable; raises when the database cannot take anything now.

    `engine` must be in AUTOCOMMIT.
    """
    unique = list({entry.key: entry for entry in entries}.values())
    try:
        try:
            return Stored(_insert(engine, unique), frozenset())
        except psycopg.errors.CheckViolation:  # a month that nobody has made a partition for
            with Session(engine.execution_options(isolation_level="READ COMMITTED")) as session, session.begin():
                partitions.ensure(session)
            return Stored(_insert(engine, unique), frozenset())
    except _NEVER:
        if len(unique) == 1:
            return Stored(0, frozenset({unique[0].key}))
        parts = [store(engine, [entry]) for entry in unique]  # its neighbours are not to suffer for one
        return Stored(sum(part.rows for part in parts), frozenset().union(*(part.refused for part in parts)))


def _insert(engine: Engine, entries: Sequence[Entry]) -> int:
    """Number of rows made. One statement, one commit."""
    columns = (
        [entry.connection_id for entry in entries],
        [entry.digest for entry in entries],
        [entry.content_type for entry in entries],
        [entry.body for entry in entries],
        [entry.headers and orjson.dumps(dict(entry.headers)).decode() for entry in entries],
    )
    failpoints.hit("IN1")
    with engine.connect() as connection:
        driver = cast("psycopg.Connection", connection.connection.driver_connection)
        stored = driver.execute(_INSERT, columns).rowcount
    failpoints.hit("IN2")
    return stored
