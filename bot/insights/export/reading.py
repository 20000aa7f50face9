"""Rows of a table as Arrow record batches, all tables in one snapshot, whole or what changed since an earlier one.

What has changed is told by `xmin`, the transaction that wrote a row: whatever was still running when the earlier
snapshot was taken comes again, in whichever order transactions commit, so that nothing is ever left out.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
from pyarrow import csv
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.insights.export.pseudonyms import Pseudonyms
from bot.insights.export.shapes import EXPORTED_AT, Column, Table, Type
from bot.runtime import Runtime

BATCH_ROWS: Final = 20_000
BATCH_BYTES: Final = 8 * 1024 * 1024

ARROW: Final = {
    Type.TEXT: pa.string(),
    Type.INTEGER: pa.int64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIME: pa.timestamp("us", tz="UTC"),
    Type.AMOUNT: pa.decimal128(12, 6),
    Type.JSON: pa.string(),
}

# A reader that is slow keeps its snapshot; one that hangs for good does not.
_ISOLATED = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
_PATIENTLY = text("SET LOCAL idle_in_transaction_session_timeout = '10min'; SET LOCAL jit = off")
_NOW = text("""
    SELECT now() AS at, pg_snapshot_xmin(s)::text::bigint AS oldest, pg_snapshot_xmax(s)::text::bigint AS next,
           (SELECT system_identifier FROM pg_control_system()) || '/' ||
           (SELECT timeline_id FROM pg_control_checkpoint()) AS cluster
      FROM pg_current_snapshot() s
""")
_TRANSACTIONS = 2**32
_HALF = 2**31


@dataclass(frozen=True, slots=True)
class Mark:
    """How far an export got: whatever a transaction of this number or a later one has written comes next time."""

    cluster: str
    """Which database; numbers of transactions mean nothing in another, nor in one restored from a backup."""
    oldest: int
    """The oldest transaction that was still running."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of the whole database, for as long as its session is open."""

    session: Session
    at: datetime
    mark: Mark
    next: int

    def knows(self, since: Mark) -> bool:
        """Whether changes since then can be told; otherwise the next export is of everything."""
        is_near = 0 <= self.next - since.oldest < _HALF
        return since.cluster == self.mark.cluster and is_near


@contextmanager
def snapshot(rt: Runtime) -> Iterator[Snapshot]:
    with rt.sessions() as session:
        session.execute(_ISOLATED)
        session.execute(_PATIENTLY)
        now = session.execute(_NOW).one()
        yield Snapshot(session, now.at, Mark(now.cluster, now.oldest), now.next)
        session.rollback()


def schema(table: Table) -> pa.Schema:
    return pa.schema([_field(column) for column in (*table.columns, EXPORTED_AT)])


def batches(
    snap: Snapshot, table: Table, environment: str, since: Mark | None = None, hide: Pseudonyms | None = None
) -> Iterator[pa.RecordBatch]:
    """The table's rows, in no order; of a table that is not whole only those that changed since, if that is told.

    With `hide`, private columns are empty and people are pseudonyms. Memory is bounded by one batch.
    """
    connection: Any = snap.session.connection().connection.driver_connection
    asked = {"environment": environment, "since": None if since is None else transaction_of(since)}
    columns = [*table.columns]
    with connection.cursor() as cursor, cursor.copy(_statement(table, since, hide), asked) as rows:
        for portion in _portions(rows):
            yield _batch(table, columns, portion, snap.at, hide)


def _statement(table: Table, since: Mark | None, hide: Pseudonyms | None) -> str:
    values = ", ".join("NULL" if hide is not None and column.is_private else column.sql for column in table.columns)
    source = table.source.replace(":environment", "%(environment)s")
    if since is not None and table.changed:
        source = f"{source} AND ({newer(table)})"
    return f"COPY (SELECT {values} {source}) TO STDOUT (FORMAT csv)"


def newer(table: Table) -> str:
    """Of a row: whether it has changed since the transaction `since`."""
    # Both ages are counted back from the same moment, so that numbers may begin anew in between.
    return " OR ".join(f"age({alias}.xmin) <= age(%(since)s::xid)" for alias in table.changed)


def transaction_of(since: Mark) -> str:
    """As PostgreSQL writes it on rows."""
    return str(since.oldest % _TRANSACTIONS)


def _portions(rows: Iterable[Any]) -> Iterator[bytes]:
    """PostgreSQL hands over a row at a time."""
    taken: list[bytes] = []
    size = 0
    for row in rows:
        taken.append(bytes(row))
        size += len(row)
        if len(taken) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield b"".join(taken)
            taken, size = [], 0
    if taken:
        yield b"".join(taken)


def _batch(table: Table, columns: list[Column], data: bytes, at: datetime, hide: Pseudonyms | None) -> pa.RecordBatch:
    read = csv.read_csv(
        io.BytesIO(data),
        read_options=csv.ReadOptions(column_names=[column.name for column in columns], block_size=len(data) + 1),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types={column.name: ARROW[column.type] for column in columns},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    ).combine_chunks()
    arrays = [_hidden(read.column(column.name), column, hide) for column in columns]
    arrays.append(pa.repeat(pa.scalar(at, ARROW[Type.TIME]), read.num_rows))
    return pa.RecordBatch.from_arrays(arrays, schema=schema(table))


def _hidden(values: pa.ChunkedArray, column: Column, hide: Pseudonyms | None) -> pa.Array:
    array = values.chunk(0)
    if hide is None or not column.is_person:
        return array
    coded = array.dictionary_encode()
    names = pa.array([hide.of(person_id) for person_id in coded.dictionary.to_pylist()], pa.string())
    return names.take(coded.indices)


def _field(column: Column) -> pa.Field:
    said = {"meaning": column.meaning, "null": column.null, "unit": column.unit}
    return pa.field(
        column.name,
        ARROW[column.type],
        nullable=bool(column.null),
        metadata={name: value for name, value in said.items() if value},
    )
