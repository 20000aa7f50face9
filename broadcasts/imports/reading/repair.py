"""A header whose mistakes are known, put right and said: `user,first_name` was printed once where a dot belongs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from broadcasts.imports.reading.dialects import Dialect
from broadcasts.imports.reading.reader import Record

_TYPO = "user,first_name"
_MEANT = "user.first_name"


@dataclass(frozen=True, slots=True)
class Repaired:
    """`dropped` is the place, from 0, of a header cell that was half of another column's name."""

    cells: Sequence[str]
    note: str | None = None
    dropped: int | None = None


def header(dialect: Dialect, cells: Sequence[str]) -> Repaired:
    """The cells as they were meant."""
    plain = [cell.strip().strip("\ufeff").casefold() for cell in cells]
    meant = _MEANT if _MEANT in dialect.known or dialect.is_lenient else _MEANT.removeprefix("user.")
    if _TYPO in plain and meant not in plain:
        place = plain.index(_TYPO)
        return Repaired(
            [*cells[:place], meant, *cells[place + 1 :]], f"Column {place + 1}, {_TYPO}, was read as {meant}."
        )
    pairs = [n for n in range(len(plain) - 1) if plain[n : n + 2] == _TYPO.split(",")]
    if not pairs or meant != _MEANT or _MEANT in plain or not any(cell.startswith("user.") for cell in plain):
        return Repaired(cells)
    place = pairs[0]
    note = f"Columns {place + 1} and {place + 2}, user and first_name, were read as one column, {meant}."
    return Repaired([*cells[:place], meant, *cells[place + 2 :]], note, place)


def rows(records: Iterator[Record], repaired: Repaired) -> Iterator[Record]:
    """Rows as wide as the header was written lose the cell that belongs to no column, if it is empty."""
    place, width = repaired.dropped, len(repaired.cells)
    for record in records:
        if place is not None and len(record.cells) == width + 1 and not record.cells[place].strip():
            yield record._replace(cells=[*record.cells[:place], *record.cells[place + 1 :]])
        else:
            yield record
