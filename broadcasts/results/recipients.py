"""The people behind each number of a broadcast's ledger, a page at a time."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, select, tuple_
from sqlalchemy.orm import Session, defer

from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastResponse, BroadcastWording
from bot.models.message import Message
from bot.models.person import Person
from broadcasts import broadcasts
from broadcasts.results import ledger, parts
from broadcasts.results.parts import Asked

PAGE = 50
FILE_PAGE = 2000
_WORD = re.compile(r"([mp])([0-9]{1,18})(?:\.([0-9]{1,18}))?")

Place = tuple[str, int, int]
"""Where a page ends: ("m", message id, 0), or ("p", wave, person id) among those without a message."""
FIRST: Place = ("m", 0, 0)


@dataclass(frozen=True, slots=True)
class Cut:
    """An audience at one moment: up to which message it is made, and behind which place those are who have none.

    Everybody is in one of the two, since the cursor moves with the rows.
    """

    last_message_id: int
    wave: int
    cursor: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """None are `message` while it is not made, `variant` of who waits for the winner, `language` without one's own."""

    person: Person
    message: Message | None
    place: Place
    variant: int | None
    language: str | None = None
    replied_at: datetime | None = None
    opted_out_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Recipient]
    more: str | None
    """Hand it to `place` for the page that follows."""


def place(word: str) -> Place:
    """What a page's `more` means; the beginning for anything else."""
    found = _WORD.fullmatch(word)
    return (found[1], int(found[2]), int(found[3] or 0)) if found else FIRST


def cut(session: Session, broadcast_id: int) -> Cut:
    newest = select(func.max(Message.id)).where(Message.broadcast_id == broadcast_id).scalar_subquery()
    found = select(func.coalesce(newest, 0), Broadcast.wave, Broadcast.cursor).where(Broadcast.id == broadcast_id)
    return Cut(*session.execute(found).one())


def load(session: Session, broadcast_id: int, asked: Asked, at: Cut, after: Place = FIRST, size: int = PAGE) -> Page:
    """First those with a message, in the order in which they were made, then those without, in the order to come."""
    broadcast = broadcasts.get(session, broadcast_id)
    rows: list[Recipient] = []
    if after[0] == "m":
        rows += _made(session, broadcast, asked, at, after, size + 1)
    if len(rows) <= size:
        rows += _unmade(session, broadcast, asked, at, after, size + 1 - len(rows))
    more = rows[size - 1].place if len(rows) > size else None
    return Page(rows[:size], "{}{}.{}".format(*more) if more else None)


def every(
    transaction: Callable[[], AbstractContextManager[Session]], broadcast_id: int, asked: Asked
) -> Iterator[Recipient]:
    """Each once, as the audience was cut when it began; a transaction a page, so that a slow reader holds none."""
    with transaction() as session:
        at = cut(session, broadcast_id)
    after: str | None = ""
    while after is not None:
        with transaction() as session:
            page = load(session, broadcast_id, asked, at, place(after), size=FILE_PAGE)
        yield from page.rows
        after = page.more


def _made(
    session: Session, broadcast: Broadcast, asked: Asked, at: Cut, after: Place, size: int
) -> Iterator[Recipient]:
    answer = and_(
        BroadcastResponse.broadcast_id == Message.broadcast_id, BroadcastResponse.person_id == Message.person_id
    )
    reads = (func.coalesce(BroadcastWording.variant, 0), BroadcastWording.language)
    query: Select[Message, Person, int, str | None, datetime | None, datetime | None] = (
        select(Message, Person, *reads, BroadcastResponse.replied_at, BroadcastResponse.opted_out_at)
        .join(Person, Person.id == Message.person_id)
        .join(BroadcastResponse, answer, isouter=True)
        .join(BroadcastWording, BroadcastWording.id == Message.wording_id, isouter=True)
        .options(defer(Message.content), defer(Message.original), defer(Person.attributes))
        .where(*parts.made(broadcast.id, asked), Message.id > after[1], Message.id <= at.last_message_id)
        .order_by(Message.id)
        .limit(size)
    )
    for message, person, variant, language, *answers in session.execute(query):
        yield Recipient(person, message, ("m", message.id, 0), variant, language, *answers)


def _unmade(
    session: Session, broadcast: Broadcast, asked: Asked, at: Cut, after: Place, size: int
) -> Iterator[Recipient]:
    wanted = list(parts.unmade(broadcast, asked))
    if not wanted:
        return
    key = tuple_(AudiencePerson.wave, AudiencePerson.person_id)
    begin = max((at.wave, at.cursor), after[1:] if after[0] == "p" else (-1, 0))
    query = (
        select(AudiencePerson.wave, ledger.to_come(broadcast), Person)
        .join(Person, Person.id == AudiencePerson.person_id)
        .where(*wanted, key > tuple_(*begin))
        .order_by(AudiencePerson.wave, AudiencePerson.person_id)
        .limit(size)
    )
    for wave, variant, person in session.execute(query):
        yield Recipient(person, None, ("p", wave, person.id), None if variant == ledger.UNDECIDED else variant)
