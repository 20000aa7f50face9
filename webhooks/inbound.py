"""What people said: stored once, whatever is redelivered; then their threads are opened and the stack is told."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.conversations import threads
from bot.conversations.threads import Received, ThreadChange
from bot.goals import noticing
from bot.journeys.runner import Arrival
from bot.models.connection import Number
from bot.providers.events import IdentityChange, InboundMessage, ReactionChange

_STORE = text("""
    INSERT INTO message
        (environment, number_id, person_id, direction, state, kind, body, content, provider_message_id,
         reply_to_provider_message_id, occurred_at)
    SELECT environment, number_id, person_id, 'in', 'received', kind, body, CAST(content AS jsonb), provider_id,
           reply_to, at
      FROM unnest(CAST(:environments AS text[]), CAST(:numbers AS bigint[]), CAST(:people AS bigint[]),
                  CAST(:kinds AS text[]), CAST(:bodies AS text[]), CAST(:contents AS text[]),
                  CAST(:provider_ids AS text[]), CAST(:replies AS text[]), CAST(:times AS timestamptz[]))
        WITH ORDINALITY
        AS s(environment, number_id, person_id, kind, body, content, provider_id, reply_to, at, place)
     ORDER BY place
    ON CONFLICT (number_id, provider_message_id) WHERE provider_message_id IS NOT NULL DO NOTHING
    RETURNING id, number_id, provider_message_id,
              EXISTS (SELECT FROM message_change c
                       WHERE c.number_id = message.number_id AND c.target = message.provider_message_id
                         AND c.message_id IS NULL) AS is_awaited
""")


@dataclass(frozen=True, slots=True)
class Said:
    number: Number
    person_id: int
    event: InboundMessage | ReactionChange | IdentityChange


@dataclass(frozen=True, slots=True)
class Heard:
    """Something said that was stored just now, for the first time."""

    message_id: int
    said: Said
    is_awaited: bool = False
    """An edit or a deletion of it came first."""


def store(session: Session, said: Sequence[Said]) -> list[Heard]:
    """Insert what is new, by (number, provider's message id), in the order given."""
    first: dict[tuple[int, str], Said] = {}
    for one in said:
        first.setdefault((one.number.id, one.event.message_id), one)
    if not first:
        return []
    rows = [_row(one) for one in first.values()]
    stored = session.execute(_STORE, {key: [row[key] for row in rows] for key in rows[0]})
    return [Heard(row.id, first[row.number_id, row.provider_message_id], row.is_awaited) for row in stored]


def spoken(heard: Sequence[Heard]) -> dict[str, list[noticing.Said]]:
    """What people wrote or tapped, by environment: what goals may look out for."""
    by_environment: defaultdict[str, list[noticing.Said]] = defaultdict(list)
    for one in heard:
        event, number = one.said.event, one.said.number
        if isinstance(event, InboundMessage) and event.kind not in threads.SILENT_KINDS:
            written = noticing.Said(one.said.person_id, number.id, event.body, event.occurred_at)
            by_environment[number.environment].append(written)
    return by_environment


def open_threads(session: Session, heard: Sequence[Heard]) -> Iterator[tuple[Number, list[Arrival]]]:
    """Open or reopen threads, number by number; yields what the stack may answer."""
    by_number: defaultdict[int, list[Heard]] = defaultdict(list)
    for one in sorted(heard, key=lambda one: (one.said.event.occurred_at, one.message_id)):
        if _kind(one.said) not in threads.SILENT_KINDS:
            by_number[one.said.number.id].append(one)
    for _, spoken in sorted(by_number.items()):
        number = spoken[0].said.number
        received = [Received(one.said.person_id, one.said.event.occurred_at) for one in spoken]
        changes = threads.receive(session, number, received)
        yield number, list(_arrivals(spoken, changes))


def _arrivals(spoken: Sequence[Heard], changes: dict[int, ThreadChange]) -> Iterator[Arrival]:
    greeted: set[int] = set()
    for one in spoken:
        event, person_id = one.said.event, one.said.person_id
        if isinstance(event, InboundMessage):
            yield Arrival(
                person_id=person_id,
                message_id=one.message_id,
                body=event.body,
                choice=event.choice,
                reply_to=event.reply_to,
                first_ever=changes[person_id].first_ever and person_id not in greeted,
                occurred_at=event.occurred_at,
            )
            greeted.add(person_id)


def _kind(one: Said) -> str:
    match one.event:
        case ReactionChange():
            return "reaction"
        case IdentityChange():
            return "system"
        case InboundMessage(kind=kind):
            return kind


def _row(one: Said) -> dict[str, Any]:
    body, reply_to, content = _readable(one.event)
    return {
        "environments": one.number.environment,
        "numbers": one.number.id,
        "people": one.person_id,
        "kinds": _kind(one),
        "bodies": body,
        "contents": orjson.dumps(content).decode(),
        "provider_ids": one.event.message_id,
        "replies": reply_to,
        "times": one.event.occurred_at,
    }


def _readable(event: InboundMessage | ReactionChange | IdentityChange) -> tuple[str | None, str | None, dict[str, Any]]:
    """Body, what it replies to, content."""
    match event:
        case InboundMessage():
            return event.body, event.reply_to, event.content
        case ReactionChange():
            reaction = {"message_id": event.target, "emoji": event.emoji or ""}
            return event.emoji, event.target, {"type": "reaction", "reaction": reaction}
        case IdentityChange():
            return event.body, None, {"type": "system", "system": {"body": event.body}}
