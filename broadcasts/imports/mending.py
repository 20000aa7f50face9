"""Rows that were kept out, put right by hand or by their proposals, and checked again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.language import _, figure, ngettext
from bot.models.imports import ImportRow
from bot.models.words import RowVerdict
from bot.runtime import Runtime
from broadcasts.imports import healing, keeping, preview
from broadcasts.imports.reading.problems import ProblemKind

BATCH = 500
"""Proposals accepted in one transaction."""


@dataclass(frozen=True, slots=True)
class Mended:
    """Of the rows that were checked again."""

    right: int
    wrong: int

    @property
    def sentence(self) -> str:
        if not self.right and not self.wrong:
            return _("No cell was changed, so there was nothing to check.")
        right, wrong = figure(self.right), figure(self.wrong)
        told = ngettext("%(rows)s row is right now.", "%(rows)s rows are right now.", self.right, rows=right)
        still = ngettext("%(rows)s still is not.", "%(rows)s still are not.", self.wrong, rows=wrong)
        return f"{told} {still}" if self.wrong else told


def mend(session: Session, import_id: int, edits: Mapping[int, Mapping[int, str]], *, always: bool = False) -> Mended:
    """Check rows again with cells replaced by place; without `always` only those of which a cell is another now."""
    keeping.check(session, import_id)
    kept = session.scalars(_failed(import_id).where(ImportRow.row.in_(edits)))
    wanted = {
        row.row: merged(row, edits[row.row]) for row in kept if always or merged(row, edits[row.row]) != row.cells
    }
    return _recheck(session, import_id, wanted)


def accept_all(rt: Runtime, import_id: int, kind: ProblemKind) -> Mended:
    """Take every proposal of a kind of problem, batch by batch."""
    after = right = wrong = 0
    while True:
        with rt.transaction() as session:
            keeping.check(session, import_id)
            rows = session.scalars(
                _failed(import_id)
                .where(ImportRow.problem_kind == kind, preview.HAS_PROPOSAL, ImportRow.row > after)
                .order_by(ImportRow.row)
                .limit(BATCH)
            ).all()
            if not rows:
                return Mended(right, wrong)
            after = rows[-1].row
            done = _recheck(session, import_id, {row.row: merged(row, proposed(row)) for row in rows})
        right, wrong = right + done.right, wrong + done.wrong


def proposed(row: ImportRow) -> dict[int, str]:
    """Place → text of the cells that would make the row right."""
    return {int(place): str(text) for place, text in (row.proposal or {}).items()}


def merged(row: ImportRow, edited: Mapping[int, str]) -> list[str]:
    """The row's cells with what was edited; a short row grows as far as that needs."""
    cells = [str(cell) for cell in row.cells or []]
    for place, text in sorted(edited.items()):
        if place >= len(cells) and text:
            cells += [""] * (place + 1 - len(cells))
        if place < len(cells):
            cells[place] = text
    return cells


def _recheck(session: Session, import_id: int, wanted: Mapping[int, Sequence[str]]) -> Mended:
    if not wanted:
        return Mended(0, 0)
    found = healing.recheck(session, import_id, wanted).values()
    right = sum(comment is None for comment in found)
    return Mended(right, len(found) - right)


def _failed(import_id: int) -> Select[ImportRow]:
    return select(ImportRow).where(ImportRow.import_id == import_id, ImportRow.verdict == RowVerdict.FAILED)
