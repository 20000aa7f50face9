"""A table in pieces by its key, each read in a snapshot of its own and kept in a file until it is on its way.

What changes between two pieces was written after the run's mark, and so comes again with the next run.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bot.insights.bigquery.schemas import BY_DAY, Span
from bot.insights.bigquery.targets import Target
from bot.insights.export import reading
from bot.insights.export.reading import Mark, Snapshot
from bot.insights.export.shapes import Table, Type

ROWS: Final = 100_000
"""Of one load: what a crash or a line that breaks costs at most."""


@dataclass(frozen=True, slots=True)
class Chunk:
    size: int
    rows: int
    at: datetime
    last: list[int] | None
    """The key it ends with; None: nothing comes after it."""
    span: Span | None
    digest: str

    def is_as(self, former: str | None) -> bool:
        """Whether these are the very rows that were sent last."""
        return compare_digest(self.digest, former or "")


def read(
    snap: Snapshot,
    target: Target,
    table: Table,
    since: Mark | None,
    after: Sequence[int] | None,
    file: IO[bytes],
) -> Chunk:
    """The next rows after that key, of those that changed since, as Parquet in `file`."""
    last = _last(snap, target, table, since, after)
    piece = replace(table, source=table.source + _between(table, after, last))
    rows, low, high = 0, [], []
    digest = hashlib.sha256()
    with pq.ParquetWriter(file, reading.schema(table), compression="zstd") as writer:
        for batch in reading.batches(snap, piece, target.environment, since, target.hide):
            writer.write_batch(batch)
            rows += batch.num_rows
            digest.update(_content(batch))
            if table.name in BY_DAY:
                ends = pc.min_max(batch.column(BY_DAY[table.name])).as_py()
                low.append(ends["min"])
                high.append(ends["max"])
    size = file.tell()
    file.seek(0)
    return Chunk(size, rows, snap.at, last, Span(min(low), max(high)) if low else None, digest.hexdigest())


def count(snap: Snapshot, target: Target, table: Table) -> int:
    """All rows there are."""
    (found,) = _ask(snap, f"SELECT count(*) {_source(table)}", {"environment": target.environment}) or (0,)
    return int(found)


def _last(
    snap: Snapshot, target: Target, table: Table, since: Mark | None, after: Sequence[int] | None
) -> list[int] | None:
    if not _is_divisible(table):
        return None
    asked = {"environment": target.environment, "since": None if since is None else reading.transaction_of(since)}
    newer = f" AND ({reading.newer(table)})" if since is not None and table.changed else ""
    keys = ", ".join(_keys(table))
    wanted = f"{_source(table)}{_between(table, after, None)}{newer} ORDER BY {keys} OFFSET {ROWS - 1} LIMIT 1"
    found = _ask(snap, f"SELECT {keys} {wanted}", asked)
    return None if found is None else list(found)


def _ask(snap: Snapshot, query: str, asked: dict[str, Any]) -> Sequence[Any] | None:
    connection: Any = snap.session.connection().connection.driver_connection
    with connection.cursor() as cursor:
        row: Sequence[Any] | None = cursor.execute(query, asked).fetchone()
    return row


def _source(table: Table) -> str:
    return table.source.replace(":environment", "%(environment)s")


def _is_divisible(table: Table) -> bool:
    """By whole numbers; tables with words for keys are small."""
    keys = [column for column in table.columns if column.name in table.key]
    return all(column.is_person or column.type is Type.INTEGER for column in keys)


def _keys(table: Table) -> Sequence[str]:
    """As they are stored: a person's id is written as text on its way out only."""
    found = {column.name: column.sql.removesuffix("::text") for column in table.columns}
    return [found[name] for name in table.key]


def _between(table: Table, after: Sequence[int] | None, last: Sequence[int] | None) -> str:
    row = f"({', '.join(_keys(table))})"
    ends = [(sign, key) for sign, key in ((">", after), ("<=", last)) if key is not None]
    return "".join(f" AND {row} {sign} ({', '.join(str(int(part)) for part in key)})" for sign, key in ends)


def _content(batch: pa.RecordBatch) -> bytes:
    """All but the moment, which is another each time."""
    bare = batch.drop_columns(["exported_at"])
    return bytes(bare.serialize())
