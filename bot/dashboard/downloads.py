"""Listings as CSV files: what a spreadsheet may run is guarded, and phone numbers come back as they were."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from flask import Response, request

from bot import runtime, sheets
from bot.dashboard import access
from bot.team import audit
from bot.team.audit import Action


def csv(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A download, sent while `rows` are still being read: they must open their own transactions."""
    note()
    response = Response(sheets.as_csv(_cells(header, rows)), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.csv")
    return response


def note() -> None:
    """Write down that a file leaves: its address, and never what was searched for, which may be a number or a name."""
    told = {"environment": access.environment().value}
    with runtime.current().transaction() as tx:
        audit.note(tx, access.by(), Action.EXPORTED, f"file {request.path}", after=told)


def _cells(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[list[str]]:
    yield list(header)
    for row in rows:
        yield [_cell(value) for value in row]


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds")
        case list() | tuple() | set() | frozenset():
            return ", ".join(_cell(each) for each in value)
    return str(value)
