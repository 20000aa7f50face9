"""Where events left their traces: messages, statuses and people, by the provider's ids, many in one query."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from bot.dashboard import people
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.message import Message, StatusEvent
from bot.models.person import Person
from bot.people import identify
from bot.providers.events import Sender

StatusKey = tuple[int, str, str, datetime]
"""Number, provider's message id, status, time."""


@dataclass(frozen=True, slots=True)
class Thread:
    """Whose it is, and where it can be read."""

    person: str
    conversation_id: int | None


def of_messages(session: Session, wanted: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], Thread]:
    """By number and provider's message id."""
    key = (Message.number_id, Message.provider_message_id)
    rows = session.execute(_threads(*key).where(tuple_(*key).in_(wanted))) if wanted else ()
    return {(number_id, id_): Thread(person, thread) for person, thread, number_id, id_ in rows}


def of_statuses(session: Session, wanted: Sequence[StatusKey]) -> Mapping[StatusKey, Thread | None]:
    """Those we were told; None while the message is not known."""
    key = (StatusEvent.number_id, StatusEvent.provider_message_id, StatusEvent.status, StatusEvent.occurred_at)
    query = select(*key, StatusEvent.message_id).where(tuple_(*key).in_(wanted))
    told = [((row[0], row[1], row[2], row[3]), row[4]) for row in session.execute(query)] if wanted else []
    known = {message_id for _, message_id in told if message_id is not None}
    rows = session.execute(_threads(Message.id).where(Message.id.in_(known))) if known else ()
    threads = {id_: Thread(person, thread) for person, thread, id_ in rows}
    return {status: threads.get(message_id) for status, message_id in told}


def of_people(
    session: Session, numbers: Iterable[Number], wanted: Sequence[tuple[int, str, Sender]]
) -> Mapping[tuple[int, str], Thread]:
    """`wanted`: number, pointer, who; found by number and pointer."""
    environments = {number.id: number.environment for number in numbers}
    found: dict[tuple[int, str], Thread] = {}
    for environment in set(environments.values()):
        here = [one for one in wanted if environments[one[0]] == environment]
        ids = identify.find(session, environment, [who for _, _, who in here])
        threads = _of_ids(session, {id_ for id_ in ids if id_ is not None})
        for (number_id, pointer, _), id_ in zip(here, ids, strict=True):
            if thread := threads.get((id_, number_id)) or threads.get((id_, None)):
                found[number_id, pointer] = thread
    return found


def _of_ids(session: Session, ids: set[int]) -> Mapping[tuple[int | None, int | None], Thread]:
    """By person and number; without a number, the person alone."""
    query = (
        select(Person.id, people.name(), Conversation.number_id, Conversation.id)
        .join(Conversation, Conversation.person_id == Person.id, isouter=True)
        .where(Person.id.in_(ids))
    )
    found: dict[tuple[int | None, int | None], Thread] = {}
    for person_id, name, number_id, conversation_id in session.execute(query) if ids else ():
        found[person_id, None] = Thread(name, None)
        if number_id is not None:
            found[person_id, number_id] = Thread(name, conversation_id)
    return found


def _threads(*columns: Any) -> Any:  # noqa: ANN401 (columns, and a query of them)
    is_its = (Conversation.person_id == Message.person_id) & (Conversation.number_id == Message.number_id)
    return (
        select(people.name(), Conversation.id, *columns)
        .select_from(Message)
        .join(Person, Person.id == Message.person_id)
        .join(Conversation, is_its, isouter=True)
    )
