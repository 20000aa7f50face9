"""Rows that were kept out, as a grid in which what is wrong can be edited and what is proposed is filled in."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.models.imports import ImportRow
from broadcasts.imports import mending


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` is the proposal where there is one; only an open cell can be edited."""

    header: str
    place: int
    text: str
    was: str
    is_at_fault: bool
    is_proposed: bool
    is_open: bool
    is_first: bool


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    comment: str
    cells: Sequence[Cell]
    is_first: bool
    is_open: bool

    @property
    def is_proposed(self) -> bool:
        return any(cell.is_proposed for cell in self.cells)


def lay_out(rows: Sequence[ImportRow], headers: Sequence[str], opened: int) -> list[Row]:
    """Of each row the cells at fault can be edited; all of them where no single one is, and in the row `opened`."""
    return [_row(row, headers, opened, is_first=place == 0) for place, row in enumerate(rows)]


def _row(row: ImportRow, headers: Sequence[str], opened: int, *, is_first: bool) -> Row:
    cells = [str(cell) for cell in row.cells or []]
    proposal = mending.proposed(row)
    width = max(len(headers), len(cells))
    open_places = {row.column, *proposal} - {None}
    is_open = row.row == opened or not open_places
    made: list[Cell] = []
    for place in range(width):
        was = cells[place] if place < len(cells) else ""
        proposed = proposal.get(place)
        is_field = is_open or place in open_places
        made.append(
            Cell(
                header=headers[place] if place < len(headers) else "",
                place=place,
                text=was if proposed is None else proposed,
                was=was,
                is_at_fault=place == row.column,
                is_proposed=proposed is not None and proposed != was,
                is_open=is_field,
                is_first=is_field and not any(cell.is_open for cell in made),
            )
        )
    return Row(row.row, row.comment or "", made, is_first, is_open)
