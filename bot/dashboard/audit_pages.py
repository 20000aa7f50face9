"""Pages: the audit log, searched and taken along as a file."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Row

from bot import runtime
from bot.dashboard import downloads, times
from bot.language import _, later, translated
from bot.models.team import AuditEntry
from bot.team import audit, operators
from bot.team.audit import Action, Wanted

pages = Blueprint("audit", __name__)

FILTERS = ("action", "operator", "subject", "since", "until")
COMMAND = later("The command line")
STRANGER = later("Somebody who was not signed in")
_HEADER = ("id", "at", "who", "from", "action", "subject", "before", "after")


@pages.get("/team/audit")
def index() -> ResponseReturnValue:
    """A filter that cannot be understood is left out."""
    with runtime.current().transaction() as tx:
        rows, more = audit.search(tx, _wanted())
        given = {name: request.args[name] for name in FILTERS if request.args.get(name)}
        return render_template(
            "dashboard/audit.html",
            rows=[(row[0], _who(row), _said(row[0].action), _changes(row[0].before, row[0].after)) for row in rows],
            more=more,
            given=given,
            actions=[(action.value, _said(action)) for action in Action],
            everyone=[(str(each.id), each.name) for each in operators.everyone(tx)],
            zone=times.zone().key,
        )


@pages.get("/team/audit.csv")
def export() -> Response:
    wanted = _wanted()
    rows = audit.every(runtime.current().transaction, wanted)
    found: Response = downloads.csv(f"audit-{datetime.now(UTC):%Y-%m-%d}", _HEADER, _cells(rows))
    return found


def _cells(rows: Iterator[Row[AuditEntry, str, str]]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        entry = row[0]
        told = [None if value is None else orjson.dumps(value).decode() for value in (entry.before, entry.after)]
        yield entry.id, entry.at, _who(row), entry.address, entry.action, entry.subject, *told


def _who(row: Row[AuditEntry, str, str]) -> str:
    if row.token:
        return _("Token %(token)s", token=row.token)
    return row.operator or translated(STRANGER if row[0].address else COMMAND)


def _said(action: str) -> str:
    word = translated(action)
    return word[0].upper() + word[1:]


def _changes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """(field, before, after) of what is not the same on both sides."""
    old, new = before or {}, after or {}
    names = dict.fromkeys([*old, *new])
    return [(name, _shown(old.get(name)), _shown(new.get(name))) for name in names if old.get(name) != new.get(name)]


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
    return str(value)


def _wanted() -> Wanted:
    operator, before = (_number(request.args.get(name, "")) for name in ("operator", "before"))
    until = _day(request.args.get("until", ""))
    action = request.args.get("action", "")
    return Wanted(
        action=action if action in set(Action) else None,
        operator_id=operator,
        subject=request.args.get("subject", "").strip().replace("\0", "")[:60] or None,
        since=_day(request.args.get("since", "")),
        until=until + timedelta(days=1) if until else None,
        before=before,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _day(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
        return datetime.combine(day, time(), times.zone()) if date(2000, 1, 1) < day < date(2200, 1, 1) else None
    except ValueError:
        return None
