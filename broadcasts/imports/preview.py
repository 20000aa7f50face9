"""What an import shows of itself: how far and how fast it is, its first rows, what is wrong with the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.language import _, translated
from bot.models.imports import ImportRow, ImportRun
from bot.models.team import ApiToken, Operator
from bot.models.words import ImportState, PropertyType, RowVerdict
from bot.people import attributes
from broadcasts.imports import wording
from broadcasts.imports.reading.problems import ProblemKind

FIRST_ROWS = 8
EXAMPLES = 3

_KIND = func.coalesce(ImportRow.problem_kind, ProblemKind.VALUE)
"""Rows from before there were kinds have none."""

HAS_PROPOSAL = func.jsonb_typeof(ImportRow.proposal) == "object"

_STORED = (RowVerdict.NEW, RowVerdict.CHANGED, RowVerdict.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Pace:
    done: int
    total: int | None
    per_s: float | None
    left: timedelta | None


@dataclass(frozen=True, slots=True)
class ProblemClass:
    """Rows that fail for the same kind of reason; `proposed` of them come with a proposal."""

    kind: ProblemKind
    rows: int
    proposed: int
    examples: Sequence[ImportRow]


@dataclass(frozen=True, slots=True)
class Table:
    """The first rows as they will be stored."""

    headers: Sequence[str]
    rows: Sequence[tuple[ImportRow, Sequence[str]]]


def pace(run: ImportRun, now: datetime) -> Pace:
    """Rows a second since the phase began, and what is left at that rate."""
    is_checking = run.state == ImportState.CHECKING
    done = run.judged if is_checking else taken_in(run)
    since = run.created_at if is_checking else run.started_at
    passed = (now - since).total_seconds() if since else 0
    per_s = done / passed if passed > 0 and done else None
    total = run.total
    if per_s is None or total is None:
        return Pace(done, total, per_s, None)
    return Pace(done, total, per_s, timedelta(seconds=max(total - done, 0) / per_s))


def taken_in(run: ImportRun) -> int:
    """Rows the result accounts for; of a finished import all there are."""
    return run.created + run.updated + run.unchanged + run.failed + run.superseded + run.excess


def first_rows(session: Session, run: ImportRun) -> Table:
    found = session.scalars(
        select(ImportRow)
        .where(ImportRow.import_id == run.id, ImportRow.verdict.in_(_STORED))
        .order_by(ImportRow.row)
        .limit(FIRST_ROWS)
    ).all()
    columns = [column for column in (run.findings or {}).get("columns", []) if column["becomes"] != "ignored"]
    rows = [(row, [_cell(row, column) for column in columns]) for row in found]
    return Table([column_name(column) for column in columns], rows)


def classes(session: Session, run_id: int) -> list[ProblemClass]:
    """What is wrong with the rows that fail, the most fundamental first."""
    counted = session.execute(
        select(_KIND, func.count(), func.count().filter(HAS_PROPOSAL))
        .where(ImportRow.import_id == run_id, ImportRow.verdict == RowVerdict.FAILED)
        .group_by(_KIND)
    )
    found = sorted(((ProblemKind(kind), rows, proposed) for kind, rows, proposed in counted), key=_rank)
    return [
        ProblemClass(kind, rows, proposed, failed(session, run_id, kind, 0, EXAMPLES)) for kind, rows, proposed in found
    ]


def failed(session: Session, run_id: int, kind: ProblemKind | None, after: int, limit: int) -> Sequence[ImportRow]:
    """Rows that are kept out, of one kind of problem or of all, in the file's order from the row after `after`."""
    found = select(ImportRow).where(
        ImportRow.import_id == run_id, ImportRow.verdict == RowVerdict.FAILED, ImportRow.row > after
    )
    if kind:
        found = found.where(_KIND.in_([kind]))
    return session.scalars(found.order_by(ImportRow.row).limit(limit)).all()


def author(session: Session, run: ImportRun) -> str:
    """Who uploaded it."""
    if run.created_by_operator_id is not None:
        return session.get_one(Operator, run.created_by_operator_id).name
    if run.created_by_token_id is not None:
        return _("the token %(name)s", name=session.get_one(ApiToken, run.created_by_token_id).name)
    return _("the command line")


def undoer(session: Session, run: ImportRun) -> str | None:
    return None if run.undone_by_operator_id is None else session.get_one(Operator, run.undone_by_operator_id).name


def column_name(column: dict[str, Any]) -> str:
    """What a column of the file becomes, in the words of the pages."""
    label = wording.BECOMES.get(column["becomes"])
    return translated(label) if label else str(column["name"])


def _rank(counted: tuple[ProblemKind, int, int]) -> int:
    return counted[0].rank


def _cell(row: ImportRow, column: dict[str, Any]) -> str:
    wanted = row.wanted or {}
    becomes, name = column["becomes"], column["name"]
    if becomes in {"phone", "distinct_id"}:
        return getattr(row, becomes) or ""
    if becomes != "attribute":
        return (wanted.get(becomes) or wanted.get("columns", {}).get(name or becomes)) or ""
    value = wanted.get("attributes", {}).get(name)
    return "" if value is None else attributes.write(PropertyType(column["type"]), value)
