"""Files to download: the rows of a list that were kept out with a comment each, and those above its limit."""

from collections.abc import Iterator, Sequence
from itertools import islice

from bot import sheets
from bot.models.imports import ImportRun
from bot.models.words import ImportState
from broadcasts.imports.files import Transaction
from broadcasts.imports.history import Listed, rejected
from broadcasts.imports.reading import table
from broadcasts.imports.reading.dialects import COMMENTS
from broadcasts.imports.reading.table import Table


def comments(transaction: Transaction, listed: Listed) -> Iterator[bytes]:
    """The rows that were kept out, as a CSV with the list's own columns and a last one, Comments, that says why."""
    run = listed.run
    if run.total is not None and run.state != ImportState.CHECKING:
        with table.opened(transaction, run) as opened:
            yield from sheets.as_csv(_commented(transaction, run, opened), run.delimiter or ",")


def rest(transaction: Transaction, listed: Listed) -> Iterator[bytes]:
    """The rows above the limit under the header of the list: the next file, ready to be uploaded."""
    run = listed.run
    if run.encoding:
        with table.opened(transaction, run) as opened:
            kept = _kept(opened)
            rows = ([*_cells(cells, kept)] for _, cells in _excess(run, opened))
            header = [opened.header.cells[place] for place in kept]
            yield from sheets.as_csv((row for part in ([header], rows) for row in part), run.delimiter or ",")


def _commented(transaction: Transaction, run: ImportRun, opened: Table) -> Iterator[list[str]]:
    kept, width = _kept(opened), len(opened.layout)
    yield [*(opened.header.cells[place] for place in kept), COMMENTS]
    after = 0
    while True:
        with transaction() as session:
            rows = rejected(session, run.id, after=after)
        if not rows:
            break
        for row in rows:
            stood = row.cells or []
            extra = f" Beyond the last column: {' | '.join(stood[width:])}" if len(stood) > width else ""
            yield [*_cells(stood, kept), f"Row {row.row}: {row.comment}{extra}"]
        after = rows[-1].row
    limit = (run.total or 0) - run.excess
    told = f"Only the first {limit:,} rows of a file are taken in: upload this row in another file."
    for row_number, cells in _excess(run, opened):
        yield [*_cells(cells, kept), f"Row {row_number}: {told}"]


def _excess(run: ImportRun, opened: Table) -> Iterator[tuple[int, Sequence[str]]]:
    if run.excess and run.total is not None and run.state != ImportState.CHECKING:
        for record in islice(opened.records, run.total - run.excess, None):
            yield record.row, record.cells


def _kept(opened: Table) -> list[int]:
    """Places of columns that mean something: comments of an earlier round go."""
    return [place for place, column in enumerate(opened.layout) if column is not None]


def _cells(cells: Sequence[str], kept: Sequence[int]) -> Iterator[str]:
    return (cells[place] if place < len(cells) else "" for place in kept)
