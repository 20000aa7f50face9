"""Rows of a list as they were judged, in the database between the look at the file and the taking in."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Text, cast, delete, func, select, text, update
from sqlalchemy.orm import Session

from bot.models.imports import ImportRow, ImportRun
from bot.models.words import ImportState, RowVerdict
from broadcasts.imports.copying import copy, copy_text, escaped
from broadcasts.imports.failing import as_json, bounded
from broadcasts.imports.reading.quick import Ready
from broadcasts.imports.reading.rows import Rejected, Wanted
from broadcasts.imports.roster import COLUMNS

LEASE_S = 60

KNOWN = (RowVerdict.CHANGED, RowVerdict.UNCHANGED)
"""Rows about somebody who was there when the list was checked."""
ALIVE = (RowVerdict.NEW, *KNOWN)
"""Rows that are taken in."""

_COLUMNS = 'import_id, row, verdict, distinct_id, phone, wanted, cells, "column", problem_kind, comment, proposal'
_COPY = f"COPY import_row ({_COLUMNS}) FROM STDIN"
_COPY_READY = "COPY import_row (import_id, row, verdict, distinct_id, phone, wanted) FROM STDIN"

_CLEAR = text(
    "DELETE FROM import_row WHERE import_id = :run_id AND row BETWEEN :first AND :last AND verdict <> 'failed'"
)


class LostImportError(RuntimeError):
    """Another worker has gone on with this import, or it was stopped: leave it alone."""


@dataclass(frozen=True, slots=True)
class Job:
    """What stays the same from the first chunk of an import to the last."""

    run_id: int
    environment: str
    segment_id: int
    erases_blanks: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    """Target to the column's name in this file, for comments."""

    @classmethod
    def of(cls, run: ImportRun, headers: Mapping[str, str]) -> "Job":
        return cls(run.id, run.environment, run.segment_id, run.erases_blanks, headers)


def hold(
    session: Session,
    run_id: int,
    state: ImportState,
    cursor: str,
    stands_at: int,
    *,
    lease_s: int = LEASE_S,
    **moved: Any,  # noqa: ANN401 (values of columns)
) -> None:
    """Move the import on if its column `cursor` is where we left it, and keep the lease; raises LostImportError."""
    held = session.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id, ImportRun.state == state, getattr(ImportRun, cursor) == stands_at)
        .values(lease_until=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, lease_s), **moved)
        .returning(ImportRun.id)
    )
    if held.first() is None:
        raise LostImportError


def put(session: Session, job: Job, rows: Sequence[Ready | Wanted | Rejected], *, keeps_cells: bool = False) -> None:
    """By COPY; who is meant and what it changes is found out for all rows together, later."""
    copy_text(session, _COPY_READY, "".join([_ready(job, row) for row in rows if isinstance(row, Ready)]))
    copy(
        session,
        _COPY,
        (
            _wanted(job, row, keeps_cells=keeps_cells) if isinstance(row, Wanted) else _rejected(job, row)
            for row in rows
            if not isinstance(row, Ready)
        ),
    )


def replace(session: Session, job: Job, rows: Sequence[Wanted | Rejected]) -> None:
    """Put rows in the place of those of the same numbers; their cells stay with them, whatever becomes of them."""
    session.execute(
        delete(ImportRow).where(ImportRow.import_id == job.run_id, ImportRow.row.in_([row.row for row in rows]))
    )
    put(session, job, rows, keeps_cells=True)


def end_of_chunk(session: Session, run_id: int, first: int, limit: int) -> int | None:
    """The last of the next `limit` rows to take in, from `first` on; None where there are no more."""
    alive = select(ImportRow.row).where(
        ImportRow.import_id == run_id, ImportRow.row >= first, ImportRow.verdict.in_(ALIVE)
    )
    some = alive.order_by(ImportRow.row).limit(limit).subquery()
    last: int | None = session.scalar(select(func.max(some.c.row)))
    return last


def take(
    session: Session, job: Job, first: int, last: int, most_characters: int, verdicts: Sequence[RowVerdict] = ALIVE
) -> list[Wanted]:
    """The rows to take in from `first` to `last`, in the order of the file; fewer where they are wide."""
    found = session.execute(
        select(ImportRow.row, ImportRow.distinct_id, ImportRow.phone, cast(ImportRow.wanted, Text))
        .where(ImportRow.import_id == job.run_id, ImportRow.row.between(first, last), ImportRow.verdict.in_(verdicts))
        .order_by(ImportRow.row)
        .execution_options(yield_per=500)
    )
    rows, size = [], 0
    with closing(found):
        for row, name, phone, more in found:
            rows.append(_as_wanted(job, row, name, phone, orjson.loads(more)))
            size += len(more)
            if size >= most_characters:
                break
    return rows


def clear(session: Session, run_id: int, first: int = 0, last: int = 2**62) -> None:
    """Forget rows from `first` to `last` that were taken in or superseded; failed ones stay for their comments."""
    session.execute(_CLEAR, {"run_id": run_id, "first": first, "last": last})


def forget(session: Session, run_id: int) -> None:
    """All rows of an import that took nothing in."""
    session.execute(delete(ImportRow).where(ImportRow.import_id == run_id))


def _ready(job: Job, row: Ready) -> str:
    name = "\\N" if row.distinct_id is None else escaped(row.distinct_id)
    return f"{job.run_id}\t{row.row}\tnew\t{name}\t{row.phone}\t{escaped(row.wanted)}\n"


def _wanted(job: Job, row: Wanted, *, keeps_cells: bool) -> tuple[object, ...]:
    more: dict[str, Any] = {"country": row.country}
    if row.email:
        more["email"] = row.email
    if row.attributes:
        more["attributes"] = row.attributes
    if columns := _blanked(row) if job.erases_blanks and row.blank else row.columns:
        more["columns"] = columns
    if job.erases_blanks and (blank := [target for target in row.blank if target not in COLUMNS]):
        more["blank"] = blank
    cells = as_json(bounded(row.cells)) if keeps_cells else None
    return (job.run_id, row.row, "new", row.distinct_id, row.phone, as_json(more), cells, None, None, None, None)


def _blanked(row: Wanted) -> dict[str, str | None]:
    """An empty country is the number's own."""
    empty = {target: None for target in row.blank if target in COLUMNS}
    return {**empty, **({"country": row.country} if "country" in empty else {}), **row.columns}


def _rejected(job: Job, row: Rejected) -> tuple[object, ...]:
    cells = as_json(bounded(row.cells))
    comment = row.comment.replace("\0", "\ufffd")
    proposal = as_json(row.proposal) if row.proposal else None
    return (job.run_id, row.row, "failed", None, None, None, cells, row.column, str(row.kind), comment, proposal)


def _as_wanted(job: Job, row: int, name: str | None, phone: str | None, more: Mapping[str, Any]) -> Wanted:
    return Wanted(
        row,
        (),
        phone or "",
        more.get("country"),
        name,
        more.get("email"),
        more.get("columns", {}),
        more.get("attributes", {}),
        job.headers,
        more.get("blank", []),
    )
