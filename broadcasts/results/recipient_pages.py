"""Pages: who is behind each number of a broadcast, and the list of broadcasts with their numbers as a file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, deliveries, downloads, people
from bot.dashboard.deliveries import Delivery
from bot.language import later
from bot.models.broadcast import Broadcast
from bot.models.conversation import Conversation
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import BroadcastOrigin
from bot.team import permissions
from broadcasts import broadcasts
from broadcasts.finding import find
from broadcasts.results import ledger, recipients, table, variants
from broadcasts.results.parts import PARTS, Asked
from broadcasts.results.recipients import Recipient

pages = Blueprint("recipients", __name__)

_NOT_MADE = Delivery("clock", "quiet", later("Waiting for its turn"))
_NEVER_MADE = Delivery("failed", "quiet", later("Cancelled before it was sent"))


@dataclass(frozen=True, slots=True)
class Line:
    recipient: Recipient
    message: Message | None
    name: str
    delivery: Delivery
    thread: str | None
    """Where they replied, for whoever may read it."""


@pages.get("/broadcasts/<int:broadcast_id>/people")
def index(broadcast_id: int) -> ResponseReturnValue:
    """`?state=` of PARTS, `?reason=` of the ledger, `?variant=` 0 for A, `?language=`, `?after=` a `more`."""
    asked = _asked()
    with runtime.current().transaction() as tx:
        broadcast = find(tx, broadcast_id)
        at = recipients.cut(tx, broadcast_id)
        page = recipients.load(tx, broadcast_id, asked, at, recipients.place(request.args.get("after", "")))
        lines = list(_lines(tx, broadcast, page.rows))
        counts = ledger.counts(tx, broadcast_id).as_dict()
        wordings = variants.of(tx, broadcast)
        offered = sorted({each.variant for each in wordings})
    return render_template(
        "broadcasts/recipients.html",
        broadcast=broadcast,
        lines=lines,
        more=page.more,
        counts=counts,
        parts=PARTS,
        asked=asked,
        variants=[(each, variants.letter(each)) for each in offered] if len(offered) > 1 else [],
        letter_of=variants.letter if len(wordings) > 1 else None,
        segment_href=_segment_href(broadcast_id, asked),
    )


@pages.get("/broadcasts/<int:broadcast_id>/people.csv")
def export(broadcast_id: int) -> ResponseReturnValue:
    asked = _asked()
    rt = runtime.current()
    with rt.transaction() as tx:
        broadcast = find(tx, broadcast_id)
    found = recipients.every(rt.transaction, broadcast_id, asked)
    rows = (table.cells(broadcast, each) for each in found)
    return downloads.csv(f"{broadcast.name} {asked.part or 'everybody'}", table.HEADER, rows)


@pages.get("/broadcasts.csv", endpoint="broadcasts")
def list_broadcasts() -> ResponseReturnValue:
    """Every broadcast of the environment with its numbers; no test sends, as in the list."""
    names = ("id", "name", "state", "created_at", "launched_at", "finished_at")
    parts = tuple(ledger.Counts().as_dict())
    return downloads.csv("broadcasts", (*names, *parts), _broadcasts(access.environment(), names))


def _broadcasts(environment: str, names: Sequence[str]) -> Iterator[Sequence[object]]:
    before = None
    while True:
        with runtime.current().transaction() as tx:
            found = broadcasts.every(tx, environment, before)
            counted = ledger.counts_of(tx, [each.id for each in found])
        for each in (one for one in found if one.origin != BroadcastOrigin.TEST):
            yield [*(getattr(each, name) for name in names), *counted[each.id].as_dict().values()]
        if len(found) < broadcasts.PAGE:
            return
        before = found[-1].id


def _asked() -> Asked:
    part, reason = request.args.get("state"), request.args.get("reason", "").replace("\x00", "")
    variant, language = request.args.get("variant", -1, int), request.args.get("language", "").replace("\x00", "")
    known = part if part in PARTS else None
    return Asked(known, reason or None, variant if 0 <= variant < 2**15 else None, language or None)


def _lines(session: Session, broadcast: Broadcast, rows: Sequence[Recipient]) -> Iterator[Line]:
    ids = [row.person.id for row in rows]
    named = session.execute(select(Person.id, people.name()).where(Person.id.in_(ids)))
    names = {id_: name for id_, name in named}  # noqa: C416 (rows are no pairs)
    threads = _threads(session, broadcast, [row.person.id for row in rows if row.replied_at])
    for row in rows:
        yield Line(
            row, row.message, names[row.person.id], _delivery(broadcast, row.message), threads.get(row.person.id)
        )


def _threads(session: Session, broadcast: Broadcast, ids: Sequence[int]) -> Mapping[int, str]:
    if not ids or not permissions.may(access.operator().role, "inbox.thread"):
        return {}
    wanted = Conversation.number_id == broadcast.number_id, Conversation.person_id.in_(ids)
    found = session.execute(select(Conversation.person_id, Conversation.id).where(*wanted))
    return {person_id: url_for("inbox.thread", conversation_id=id_) for person_id, id_ in found}


def _delivery(broadcast: Broadcast, message: Message | None) -> Delivery:
    if message is not None:
        return deliveries.of(message)
    return _NEVER_MADE if broadcast.state == "cancelled" else _NOT_MADE


def _segment_href(broadcast_id: int, asked: Asked) -> str | None:
    """Where a segment is made of these people, if that can be done."""
    if "segments.of_outcome" not in current_app.view_functions:
        return None
    query: dict[str, Any] = {
        "outcome": asked.part,
        "reason": asked.reason,
        "variant": asked.variant,
        "language": asked.language,
    }
    return url_for("segments.of_outcome", broadcast=broadcast_id, **query)
