"""Pages: the log of sends, and the same as a file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.dashboard import access, deliveries, downloads, kinds, people, times
from bot.dashboard.bubbles import AUTHORS
from bot.dashboard.deliveries import Delivery
from bot.language import later, spoken, translated
from bot.messages import log
from bot.messages.log import Wanted
from bot.models.broadcast import Broadcast
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import AuthorKind, MessageState
from bot.people import finding
from bot.people.finding import Asked, Finder
from bot.team import permissions

pages = Blueprint("logs", __name__)

STATES: Mapping[str, str] = {
    MessageState.QUEUED: later("Waiting"),
    MessageState.CLAIMED: later("Taken by a sender"),
    MessageState.WIRE: later("On the wire"),
    MessageState.ACCEPTED: later("Taken by WhatsApp"),
    MessageState.FAILED: later("Not delivered"),
    MessageState.SUPPRESSED: later("Kept back"),
    MessageState.CANCELLED: later("Cancelled"),
    MessageState.UNKNOWN: later("In doubt"),
    MessageState.PRESUMED_UNSENT: later("Probably not sent"),
}
FILTERS = ("state", "author", "broadcast", "number", "since", "until", "person")
OFFERED = 100
"""Broadcasts to choose from, the newest."""
MOST_PEOPLE = 200
"""Whom a search may mean."""
_OPEN_TO_ALL = frozenset({AuthorKind.BROADCAST, AuthorKind.REMINDER, AuthorKind.API})
"""Whose words everybody may read; those of a conversation only whoever may open the inbox."""
_TIMES = ("wire_at", "accepted_at", "sent_at", "delivered_at", "read_at", "failed_at")
_HEADER = (
    *("message", "made_at", "user_id", "to", "number", "author_kind", "author", "kind", "text", "state"),
    *(*_TIMES, "error_code", "reason"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A send as the page shows it."""

    message: Message
    person: str
    number: str
    author: str
    text: str | None
    delivery: Delivery
    href: str


@pages.get("/logs")
def index() -> ResponseReturnValue:
    """Filters are FILTERS in the address; one that cannot be understood is left out."""
    with runtime.current().transaction() as tx:
        wanted, problem = _wanted(tx)
        found = log.load(tx, wanted)
        lines = _lines(tx, found.rows)
        offered = _offered(tx)
    given = {name: request.args[name] for name in FILTERS if request.args.get(name)}
    return render_template(
        "dashboard/logs.html",
        lines=lines,
        more=found.more,
        looked_back_to=found.looked_back_to,
        look_back=log.LOOK_BACK,
        wanted=wanted,
        problem=problem,
        given=given,
        states=spoken(STATES),
        authors=spoken(AUTHORS),
        zone=times.zone().key,
        environment=access.environment(),
        **offered,
    )


@pages.get("/logs.csv")
def export() -> ResponseReturnValue:
    """Everything that the page's filter fits, however far back."""
    rt = runtime.current()
    with rt.transaction() as tx:
        wanted, _ = _wanted(tx)
    may_read = _may_read()
    rows = (_cells(*row, may_read=may_read) for row in log.every(rt.transaction, wanted))
    return downloads.csv(f"sends {wanted.environment}", _HEADER, rows)


def _cells(message: Message, person: Person, number: str, author: str | None, *, may_read: bool) -> Sequence[object]:
    told = (message.author_kind, author, message.kind, _text(message, may_read=may_read), message.state)
    at = [getattr(message, name) for name in _TIMES]
    who = (message.id, message.created_at, person.distinct_id, message.to_address, number)
    return (*who, *told, *at, message.error_code, message.error_text)


def _wanted(session: Session) -> tuple[Wanted, str | None]:
    """And what is wrong with the words that were to find a person: they then mean nobody."""
    args = request.args
    state, author, person = args.get("state"), args.get("author"), args.get("person", "").strip()
    people_, problem = _people(session, person) if person else (None, None)
    wanted = Wanted(
        environment=access.environment().value,
        state=state if state in STATES else None,
        author_kind=author if author in list(AuthorKind) else None,
        broadcast_id=_id("broadcast"),
        number_id=_id("number"),
        people=people_,
        since=_midnight(args.get("since", "")),
        until=_midnight(args.get("until", ""), days=1),
        before=_id("before"),
    )
    return wanted, problem


def _people(session: Session, words: str) -> tuple[Sequence[int], str | None]:
    """The first of those who are meant."""
    try:
        return Finder(session, Asked(access.environment(), words)).page(limit=MOST_PEOPLE).ids, None
    except finding.REFUSALS as error:
        return (), str(error)


def _id(name: str) -> int | None:
    """An id that a row could have."""
    given = request.args.get(name, 0, int)
    return given if 0 < given < 2**63 else None


def _midnight(given: str, days: int = 0) -> datetime | None:
    """The beginning of a day in the zone of BACKCHAT_TIME_ZONE, or of the one after it."""
    try:
        day = date.fromisoformat(given)
    except ValueError:
        return None
    return datetime.combine(min(max(day, date(2000, 1, 1)), date(2999, 1, 1)) + timedelta(days), time.min, times.zone())


def _lines(session: Session, rows: Sequence[Row[Message, Person, str, str]]) -> list[Line]:
    ids = {person.id for _, person, *_ in rows}
    named = session.execute(select(Person.id, people.name()).where(Person.id.in_(ids)))
    names = {id_: name for id_, name in named}  # noqa: C416 (rows are no pairs)
    may_read = _may_read()
    return list(_as_lines(rows, names, may_read=may_read))


def _as_lines(
    rows: Sequence[Row[Message, Person, str, str]], names: Mapping[int, str], *, may_read: bool
) -> Iterator[Line]:
    for message, person, number, author in rows:
        kind = translated(AUTHORS[AuthorKind(message.author_kind)]) if message.author_kind else None
        yield Line(
            message=message,
            person=names[person.id],
            number=number,
            author=" · ".join(part for part in (kind, author) if part),
            text=_text(message, may_read=may_read),
            delivery=deliveries.of(message),
            href=_details(message),
        )


def _text(message: Message, *, may_read: bool) -> str | None:
    if message.revoked_at is not None:
        return translated(kinds.DELETED)
    if not may_read and message.author_kind not in _OPEN_TO_ALL:
        return None
    return kinds.summary(message.kind, message.content, message.body, is_outbound=True)


def _may_read() -> bool:
    return permissions.may(access.operator().role, "inbox.index")


def _details(message: Message) -> str:
    endpoint = "notifications.show"
    if endpoint in current_app.view_functions and permissions.may(access.operator().role, endpoint):
        return url_for(endpoint, person_id=message.person_id, message_id=message.id)
    return url_for("why.show", person_id=message.person_id, message=message.id)


def _offered(session: Session) -> dict[str, Any]:
    """What the filter's lists hold."""
    environment = access.environment()
    numbers = session.scalars(select(Number).where(Number.environment == environment).order_by(Number.name, Number.id))
    broadcasts = session.execute(
        select(Broadcast.id, Broadcast.name)
        .where(Broadcast.environment == environment, Broadcast.launched_at.is_not(None))
        .order_by(Broadcast.id.desc())
        .limit(OFFERED)
    )
    return {
        "numbers": [(number.id, f"{number.name} {number.phone}") for number in numbers],
        "broadcasts": [(id_, name) for id_, name in broadcasts],
    }
