"""Rows that are kept out: why, and their cells, which go back to whoever made the list."""

from collections.abc import Iterable, Sequence

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from broadcasts.imports.reading.cells import LONGEST_CELL
from broadcasts.imports.reading.rows import Rejected

MOST_CELLS = 101

_WITHOUT_CELLS = text("""
    SELECT row FROM import_row
     WHERE import_id = :run_id AND verdict = 'failed' AND cells IS NULL
     ORDER BY row LIMIT :limit
""")

_ADD_CELLS = text("""
    UPDATE import_row r SET cells = n.cells
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n(row bigint, cells jsonb)
     WHERE r.import_id = :run_id AND r.row = n.row
""")

_FAIL = text("""
    UPDATE import_row r SET verdict = 'failed', wanted = NULL, comment = n.comment, problem_kind = n.kind
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n(row bigint, comment text, kind text)
     WHERE r.import_id = :run_id AND r.row = n.row
""")


def fail(session: Session, run_id: int, rows: Sequence[Rejected]) -> None:
    """Rows that were staged and cannot be taken in after all."""
    if not rows:
        return
    told = [{"row": row.row, "comment": row.comment, "kind": row.kind} for row in rows]
    session.execute(_FAIL, {"run_id": run_id, "rows": as_json(told)})


def without_cells(session: Session, run_id: int, limit: int) -> list[int]:
    """Failed rows whose cells are still only in the file, since they looked right when they were read."""
    return list(session.scalars(_WITHOUT_CELLS, {"run_id": run_id, "limit": limit}))


def add_cells(session: Session, run_id: int, rows: Iterable[tuple[int, Sequence[str]]]) -> None:
    told = [{"row": row, "cells": bounded(cells)} for row, cells in rows]
    session.execute(_ADD_CELLS, {"run_id": run_id, "rows": as_json(told)})


def bounded(cells: Sequence[str]) -> list[str]:
    """Not more than a page can show, and without NUL, which PostgreSQL cannot hold."""
    return [cell[: LONGEST_CELL + 1].replace("\0", "\ufffd") for cell in cells[:MOST_CELLS]]


def as_json(value: object) -> str:
    return orjson.dumps(value).decode()
