"""Pages: what is in the quarantine, and the two ways out of it."""

import functools
import json
from collections.abc import Mapping, Sequence

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row
from sqlalchemy.orm import Session

from bot import runtime
from bot.connections import connections
from bot.dashboard import access, downloads
from bot.language import _, figure, later, translated
from bot.models.webhook import Quarantine
from webhooks import quarantine, replay
from webhooks.quarantine import Wanted
from webhooks.reasons import meaning
from webhooks.replay import QuarantineError

pages = Blueprint("quarantine", __name__)

FOR_S = 10.0
"""How long one press of a button may take; what is left asks for another."""

STATES: Mapping[str, str] = {
    "open": later("Open"),
    "applied": later("Applied after all"),
    "aside": later("Put aside"),
    "all": later("All"),
}


@pages.get("/quarantine")
def index() -> ResponseReturnValue:
    wanted = _wanted()
    with runtime.current().transaction() as tx:
        return render_template(
            "webhooks/quarantine.html",
            page=quarantine.load(tx, wanted),
            groups=quarantine.groups(tx, wanted.connection_id) if wanted.state == "open" else (),
            wanted=wanted,
            meaning=meaning,
            states={name: translated(label) for name, label in STATES.items()},
            connections=[(each.id, each.slug) for each in connections.every(tx)],
            in_quarantine=quarantine.count_open(tx),
            pretty=functools.partial(json.dumps, indent=2, ensure_ascii=False),
        )


@pages.get("/quarantine.csv")
def export() -> ResponseReturnValue:
    """What the filter fits, with each item as JSON."""
    found = quarantine.every(runtime.current().transaction, _wanted())
    header = (
        "id",
        "created_at",
        "connection",
        "event",
        "pointer",
        "reason",
        "item",
        "applied_at",
        "put_aside_at",
        "by",
    )
    return downloads.csv("quarantine", header, (_cells(row) for row in found))


def _cells(row: Row[Quarantine, str, str, str]) -> Sequence[object]:
    item = row.Quarantine
    told = (item.id, item.created_at, row.connection, item.webhook_event_id, item.pointer, item.reason)
    written = None if item.item is None else json.dumps(item.item, ensure_ascii=False)
    return (*told, written, item.replayed_at, item.dismissed_at, row.replayed_by or row.dismissed_by)


@pages.post("/quarantine/<int:quarantine_id>/replay")
def replay_one(quarantine_id: int) -> ResponseReturnValue:
    rt = runtime.current()
    try:
        with rt.transaction() as tx:
            _check(tx, quarantine_id)
            done = replay.replay(tx, quarantine_id, access.operator().id)
    except QuarantineError as error:
        return _back(str(error), "warning")
    for name in sorted(done.queues):
        rt.ring(name)
    return _back(done.told, "message" if done.is_applied else "warning")


@pages.post("/quarantine/<int:quarantine_id>/replay-like")
def replay_like(quarantine_id: int) -> ResponseReturnValue:
    """Everything with the same reason under the same connection."""
    try:
        with runtime.current().transaction() as tx:
            _check(tx, quarantine_id)
        done = replay.replay_like(runtime.current(), quarantine_id, access.operator().id, for_s=FOR_S)
    except QuarantineError as error:
        return _back(str(error), "warning")
    told = _("%(applied)s applied, %(refused)s not.", applied=figure(done.applied), refused=figure(done.refused))
    if done.left:
        told += " " + _("%(left)s are left: press the button again.", left=figure(done.left))
    return _back(told, "warning" if done.refused or done.left else "message")


@pages.post("/quarantine/<int:quarantine_id>/dismiss")
def dismiss(quarantine_id: int) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            told = replay.dismiss(tx, quarantine_id, access.operator().id)
    except QuarantineError:
        abort(404)
    return _back(told)


@pages.post("/quarantine/<int:quarantine_id>/dismiss-like")
def dismiss_like(quarantine_id: int) -> ResponseReturnValue:
    try:
        with runtime.current().transaction() as tx:
            count = replay.dismiss_like(tx, quarantine_id, access.operator().id)
    except QuarantineError:
        abort(404)
    return _back(_("%(count)s put aside.", count=figure(count)))


def _wanted() -> Wanted:
    return Wanted(
        state=request.args.get("state", "open") if request.args.get("state") in STATES else "open",
        connection_id=_id("connection"),
        reason=(request.args.get("reason") or "").replace("\x00", "") or None,
        before=_id("before"),
    )


def _check(session: Session, quarantine_id: int) -> None:
    """What broke a worker must not break the web process; raises QuarantineError."""
    found = session.get(Quarantine, quarantine_id)
    if found is not None and not (told := meaning(found.reason)).helps_to_replay:
        raise QuarantineError(f"{translated(told.title)}. {translated(told.remedy)}")


def _id(name: str) -> int | None:
    """An id that a row could have."""
    given = request.args.get(name, 0, int)
    return given if 0 < given < 2**63 else None


def _back(told: str, category: str = "message") -> ResponseReturnValue:
    """To the event's page if the button was there, else to the list."""
    flash(told, category)
    event_id = request.form.get("event", 0, int)
    if 0 < event_id < 2**63:
        return redirect(url_for("events.show", event_id=event_id), 303)
    return redirect(url_for("quarantine.index"), 303)
