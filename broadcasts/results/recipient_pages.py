"""Pages: who is behind each number of a broadcast, and the list of broadcasts with their numbers as a file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, deliveries, downloads, people
from bot.dashboard.deliveries import Delivery
from bot.models.broadcast import Broadcast
from bot.models.message import Message
from bot.models.person import Person
from broadcasts import broadcasts
from broadcasts.broadcasts import BroadcastError
from broadcasts.results import ledger, recipients
from broadcasts.results.recipients import PARTS

pages = Blueprint("recipients", __name__)

LABELS: Mapping[str, str] = {
    "accepted": "Accepted",
    "failed": "Failed",
    "skipped": "Skipped",
    "cancelled": "Cancelled",
    "waiting": "Waiting",
    "in_doubt": "In doubt",
    "sent": "Sent",
    "delivered": "Delivered",
    "read": "Read",
    "unread": "Not read",
}
_TIMES = ("accepted_at", "sent_at", "delivered_at", "read_at", "failed_at")
_HEADER = ("user_id", "to", "first_name", "last_name", "state", *_TIMES, "error_code", "reason", "text")


@dataclass(frozen=True, slots=True)
class Line:
    message: Message
    name: str
    delivery: Delivery


@pages.get("/broadcasts/<int:broadcast_id>/people")
def index(broadcast_id: int) -> ResponseReturnValue:
    """`?state=` is one of PARTS, `?reason=` a sentence of the ledger."""
    part, reason = _asked()
    with runtime.current().transaction() as tx:
        broadcast = _found(tx, broadcast_id)
        page = recipients.load(tx, broadcast_id, part, reason, _after())
        lines = list(_lines(tx, page.rows))
        counts = ledger.counts(tx, broadcast_id).as_dict()
    counts["unread"] = counts["accepted"] - counts["read"]
    return render_template(
        "broadcasts/recipients.html",
        broadcast=broadcast,
        lines=lines,
        more=page.more,
        counts=counts,
        labels=LABELS,
        part=part,
        reason=reason,
        segment_href=_segment_href(broadcast_id, part, reason),
    )


@pages.get("/broadcasts/<int:broadcast_id>/people.csv")
def export(broadcast_id: int) -> ResponseReturnValue:
    part, reason = _asked()
    rt = runtime.current()
    with rt.transaction() as tx:
        name = _found(tx, broadcast_id).name
    found = recipients.every(rt.transaction, broadcast_id, part, reason)
    return downloads.csv(f"{name} {part or 'everybody'}", _HEADER, (_cells(*row) for row in found))


@pages.get("/broadcasts.csv", endpoint="broadcasts")
def list_broadcasts() -> ResponseReturnValue:
    """Every broadcast of the environment with its numbers."""
    names = ("id", "name", "state", "created_at", "launched_at", "finished_at")
    parts = tuple(ledger.Counts().as_dict())
    return downloads.csv("broadcasts", (*names, *parts), _broadcasts(access.environment(), names))


def _broadcasts(environment: str, names: Sequence[str]) -> Iterator[Sequence[object]]:
    before = None
    while True:
        with runtime.current().transaction() as tx:
            found = broadcasts.every(tx, environment, before)
            counted = ledger.counts_of(tx, [each.id for each in found])
        for each in found:
            yield [*(getattr(each, name) for name in names), *counted[each.id].as_dict().values()]
        if len(found) < broadcasts.PAGE:
            return
        before = found[-1].id


def _found(session: Session, broadcast_id: int) -> Broadcast:
    try:
        found = broadcasts.get(session, broadcast_id)
    except BroadcastError:
        abort(404)
    access.show_environment(found.environment)
    return found


def _asked() -> tuple[str | None, str | None]:
    part, reason = request.args.get("state"), request.args.get("reason", "").replace("\x00", "")
    return part if part in PARTS else None, reason or None


def _after() -> int | None:
    after = request.args.get("after", 0, int)
    return after if 0 < after < 2**63 else None


def _lines(session: Session, rows: Sequence[Row[Message, Person]]) -> Iterator[Line]:
    ids = [person.id for _, person in rows]
    named = session.execute(select(Person.id, people.name()).where(Person.id.in_(ids)))
    names = {id_: name for id_, name in named}  # noqa: C416 (rows are no pairs)
    for message, person in rows:
        yield Line(message, names[person.id], deliveries.of(message))


def _cells(message: Message, person: Person) -> Sequence[object]:
    who = (person.distinct_id, message.to_address, person.first_name, person.last_name, message.state)
    return (*who, *(getattr(message, name) for name in _TIMES), message.error_code, message.error_text, message.body)


def _segment_href(broadcast_id: int, part: str | None, reason: str | None) -> str | None:
    """Where a segment is made of these people, if that can be done."""
    if "segments.of_outcome" not in current_app.view_functions:
        return None
    return url_for("segments.of_outcome", broadcast=broadcast_id, outcome=part, reason=reason)
