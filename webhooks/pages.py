"""Pages: the event log, an event with its raw body and what it changed; and with it all the pages of this package."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.connections import connections
from bot.dashboard import downloads, times
from bot.language import later, translated
from bot.models.connection import Number
from bot.models.words import EventState
from webhooks import alert_pages, changes, connection_pages, kinds, log, quarantine, quarantine_pages, reasons, tally
from webhooks.log import Wanted

pages = Blueprint("events", __name__)

BLUEPRINTS = (connection_pages.pages, pages, quarantine_pages.pages, alert_pages.pages)

FILTERS = ("connection", "number", "kind", "state", "since", "until")
SHOWN_BYTES = 64 * 1024
"""Of a raw body on the page; the rest can be downloaded."""
MOST_INDENTED = 8
"""So many times as long it may be indented: a few kilobytes, nested deeply, become many megabytes."""

STATES: Mapping[str, tuple[str, str]] = {
    EventState.NEW: (later("New"), "busy"),
    EventState.DONE: (later("Applied"), "good"),
    EventState.QUARANTINED: (later("Quarantined"), "warn"),
}
"""Label and tone of each."""
VERDICTS: Mapping[str, str] = {
    changes.Verdict.APPLIED: "good",
    changes.Verdict.WAITING: "busy",
    changes.Verdict.QUARANTINED: "warn",
    changes.Verdict.PUT_ASIDE: "quiet",
    changes.Verdict.NO_EFFECT: "quiet",
    changes.Verdict.ORPHAN: "quiet",
    changes.Verdict.GONE: "quiet",
}


@pages.get("/events")
def index() -> ResponseReturnValue:
    """Filters are the names of log.Wanted in the address; one that cannot be understood is left out."""
    wanted = _wanted()
    with runtime.current().transaction() as tx:
        found = log.load(tx, wanted)
        return render_template(
            "webhooks/events.html",
            page=found,
            wanted=wanted,
            given={name: request.args[name] for name in FILTERS if request.args.get(name)},
            is_narrowed=wanted != Wanted(before=wanted.before),
            states=STATES,
            verdicts=[(state, translated(label)) for state, (label, _) in STATES.items()],
            kinds=[(kind, translated(kind)) for kind in sorted(set(kinds.KINDS.values()))],
            connections=[(each.id, each.slug) for each in connections.every(tx)],
            numbers=_numbers(tx),
            words=tally.lately(tx) if wanted.before is None else (),
            meanings=tally.MEANINGS,
            days=tally.DAYS,
            zone=times.zone().key,
            look_back=log.LOOK_BACK,
            in_quarantine=quarantine.count_open(tx),
        )


@pages.get("/events.csv")
def export() -> ResponseReturnValue:
    """What the log's filter fits, without the bodies."""
    columns = ("id", "received_at", "state", "connection", "kinds", "items", "size", "done_at")
    found = log.every(runtime.current().transaction, _wanted())
    return downloads.csv("events", columns, ([getattr(each, name) for name in columns] for each in found))


@pages.get("/events/<int:event_id>")
def show(event_id: int) -> ResponseReturnValue:
    first = max(request.args.get("first", 0, int), 0)
    with runtime.current().transaction() as tx:
        event = _found(tx, event_id)
        changed = changes.of(tx, event, first)
        in_quarantine = quarantine.count_open(tx)
    raw = event.body[:SHOWN_BYTES].decode("utf-8", "replace")
    return render_template(
        "webhooks/event.html",
        event=event,
        changed=changed,
        first=first,
        page_size=changes.PAGE,
        states=STATES,
        verdicts=VERDICTS,
        raw=raw,
        pretty=_pretty(event.body),
        is_cut=len(event.body) > SHOWN_BYTES,
        meaning=reasons.meaning,
        in_quarantine=in_quarantine,
    )


@pages.get("/events/<int:event_id>/body")
def body(event_id: int) -> ResponseReturnValue:
    """The raw body, byte for byte; always a download, whatever it claims to be."""
    with runtime.current().transaction() as tx:
        event = _found(tx, event_id)
    response = Response(event.body, content_type="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=f"webhook-{event_id}")
    return response


def _found(session: Session, event_id: int) -> Row[Any]:
    return log.one(session, event_id) or abort(404)


def _wanted() -> Wanted:
    args = request.args
    state, kind = args.get("state"), args.get("kind")
    return Wanted(
        connection_id=_id("connection"),
        number_id=_id("number"),
        kind=kind if kind in set(kinds.KINDS.values()) else None,
        state=state if state in STATES else None,
        since=_time(args.get("since", "")),
        until=_time(args.get("until", "")),
        before=_id("before"),
    )


def _id(name: str) -> int | None:
    """An id that a row could have."""
    given = request.args.get(name, 0, int)
    return given if 0 < given < 2**63 else None


def _time(given: str) -> datetime | None:
    """A browser's `2030-03-01T09:00`, in the zone of BACKCHAT_TIME_ZONE."""
    try:
        return datetime.fromisoformat(given).replace(tzinfo=times.zone())
    except ValueError:
        return None


def _numbers(session: Session) -> list[tuple[int, str]]:
    numbers = session.scalars(select(Number).order_by(Number.name, Number.id))
    return [(number.id, f"{number.name} {number.phone} ({number.environment})") for number in numbers]


def _pretty(raw: bytes) -> str | None:
    """Indented, if it is JSON that fits on the page so; half a character (a lone surrogate) as it was written."""
    if len(raw) > SHOWN_BYTES:
        return None
    try:
        indented = json.dumps(json.loads(raw), indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace")
    except (ValueError, RecursionError):
        return None
    return indented.decode() if len(indented) <= MOST_INDENTED * SHOWN_BYTES else None
