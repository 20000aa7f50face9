"""Rows about people who were erased at their own wish: no list brings them back."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

from bot.models.words import AddressKind
from bot.people import suppressions
from broadcasts.imports.reading.problems import ProblemKind
from broadcasts.imports.reading.quick import Ready
from broadcasts.imports.reading.rows import Rejected, Wanted

T = TypeVar("T", bound=Ready | Wanted)


def keep_out(session: Session, environment: str, rows: Sequence[T | Rejected]) -> list[T | Rejected]:
    """The same rows, with those about somebody erased rejected."""
    if not suppressions.are_there(session, environment):
        return list(rows)
    keys = {row.row: list(_keys(row)) for row in rows if not isinstance(row, Rejected)}
    erased = suppressions.suppressed(session, environment, (key for some in keys.values() for key in some))
    if not erased:
        return list(rows)
    return [
        Rejected(row.row, row.cells, f"Not taken in: {suppressions.REASON}.", kind=ProblemKind.ERASED)
        if not erased.isdisjoint(keys.get(row.row, ()))
        else row
        for row in rows
    ]


def _keys(row: Ready | Wanted) -> list[suppressions.Key]:
    named = (
        (AddressKind.PHONE.value, row.phone),
        (suppressions.DISTINCT_ID, row.distinct_id),
        (AddressKind.EMAIL.value, row.email),
    )
    return [(kind, value) for kind, value in named if value]
