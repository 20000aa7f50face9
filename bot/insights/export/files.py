"""One export as a folder of Parquet files, a table each, with what a reader has to know beside them."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
from pyarrow import parquet

from bot.insights.export import reading, views
from bot.insights.export.pseudonyms import Pseudonyms
from bot.insights.export.reading import ARROW, Mark, Snapshot
from bot.insights.export.shapes import Progress, Table, Type
from bot.insights.export.tables import TABLES, VERSION
from bot.settings import Settings

MANIFEST: Final = "manifest.json"
VIEWS: Final = views.NAME
EXPORTS: Final = "exports"
"""The name of the table that says of each export what it is."""

_ROW_GROUP = 120_000
_FOOTING = pa.schema(
    [
        pa.field("exported_at", ARROW[Type.TIME], nullable=False),
        pa.field("is_whole", pa.bool_(), nullable=False),
        pa.field("environment", pa.string(), nullable=False),
        pa.field("time_zone", pa.string(), nullable=False),
        pa.field("is_pseudonymised", pa.bool_(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("changed_since", ARROW[Type.TIME]),
    ]
)


@dataclass(frozen=True, slots=True)
class Wanted:
    environment: str
    is_pseudonymised: bool = False
    since: "Manifest | None" = None
    """What changed since that export; None: everything."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export says of itself; the next one begins where it ended."""

    exported_at: str
    environment: str
    is_whole: bool
    is_pseudonymised: bool
    key: str
    """Which key its pseudonyms are made with; empty without."""
    version: int
    cluster: str
    oldest: int
    rows: dict[str, int]
    since: str | None = None
    """The `exported_at` of the one it goes on from; None: it is whole."""

    @property
    def mark(self) -> Mark:
        return Mark(self.cluster, self.oldest)

    @property
    def name(self) -> str:
        """Of its folder; in order of time."""
        at = datetime.fromisoformat(self.exported_at)
        return f"{at:%Y-%m-%dT%H%M%S.%f}Z-{'whole' if self.is_whole else 'changes'}"


Told = Callable[[Progress], object]


def write(snap: Snapshot, settings: Settings, wanted: Wanted, folder: Path, told: Told = lambda _: None) -> Manifest:
    """Fill an empty folder; `told` hears after each batch how far it is, and may raise to break off."""
    hide = Pseudonyms(settings) if wanted.is_pseudonymised else None
    earlier = wanted.since if wanted.since is not None and _goes_on(snap, wanted.since, hide) else None
    since = None if earlier is None else earlier.mark
    footing = {
        "exported_at": snap.at,
        "is_whole": earlier is None,
        "environment": wanted.environment,
        "time_zone": settings.time_zone,
        "is_pseudonymised": wanted.is_pseudonymised,
        "version": VERSION,
        "changed_since": None if earlier is None else datetime.fromisoformat(earlier.exported_at),
    }
    manifest = Manifest(
        exported_at=snap.at.isoformat(timespec="microseconds"),
        environment=wanted.environment,
        is_whole=earlier is None,
        is_pseudonymised=wanted.is_pseudonymised,
        key="" if hide is None else hide.fingerprint,
        version=VERSION,
        cluster=snap.mark.cluster,
        oldest=snap.mark.oldest,
        rows=dict.fromkeys(TABLES, 0),
        since=None if earlier is None else earlier.exported_at,
    )
    for done, table in enumerate(TABLES.values()):
        with _open(folder, table, footing) as file:
            for batch in reading.batches(snap, table, wanted.environment, since, hide):
                file.write_batch(batch, row_group_size=_ROW_GROUP)
                manifest.rows[table.name] += batch.num_rows
                told(Progress(table.name, done, sum(manifest.rows.values())))
    parquet.write_table(pa.Table.from_pylist([footing], schema=_FOOTING), folder / f"{EXPORTS}.parquet")
    (folder / MANIFEST).write_bytes(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
    (folder / views.NAME).write_text(views.script())
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Raises OSError, or ValueError where it is not one of ours."""
    return from_json(orjson.loads((folder / MANIFEST).read_bytes()))


def from_json(found: dict[str, Any]) -> Manifest:
    try:
        return Manifest(**found)
    except TypeError as error:
        raise ValueError("made by another version") from error


def _goes_on(snap: Snapshot, earlier: Manifest, hide: Pseudonyms | None) -> bool:
    """Whether this export can be of what changed since that one."""
    is_same = earlier.version == VERSION and earlier.key == ("" if hide is None else hide.fingerprint)
    return is_same and snap.knows(earlier.mark)


def _open(folder: Path, table: Table, footing: dict[str, Any]) -> parquet.ParquetWriter:
    said = {f"backchat.{name}": str(value) for name, value in footing.items()}
    said |= {"backchat.table": table.name, "backchat.meaning": table.meaning, "backchat.key": ", ".join(table.key)}
    said["backchat.is_whole"] = str(bool(footing["is_whole"] or table.is_whole))
    schema = reading.schema(table).with_metadata(said)
    return parquet.ParquetWriter(folder / f"{table.name}.parquet", schema, compression="zstd")


def sizes(folder: Path) -> Iterator[tuple[str, int]]:
    for path in sorted(folder.glob("*.parquet")):
        yield path.stem, path.stat().st_size
