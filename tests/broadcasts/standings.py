"""Launched broadcasts as rows, in whatever way their people stand; for tests of what reads them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast, BroadcastResponse
from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import MessageState
from broadcasts.audience.waves import REST
from tests import factories

ACCEPTED = {"state": MessageState.ACCEPTED}


def make(
    session: Session, *messages: dict[str, Any], unmade: int = 0, state: str = "running", **columns: Any
) -> Broadcast:
    """A message for each dict of columns, and people behind the cursor whose message is yet to be made."""
    number = factories.make_number(session)
    people = [factories.make_person(session) for _ in range(len(messages) + unmade)]
    segment = factories.make_segment(session, people)
    template = factories.make_template(session, number.connection)
    made = people[: len(messages)]
    wave: dict[str, Any] = {
        "launched_at": datetime.now(UTC),
        "wave": REST,
        "cursor": made[-1].id if made else 0,
        "audience_frozen_at": datetime.now(UTC),
    }
    broadcast = factories.make_broadcast(session, number, segment, template, state=state, **(wave | columns))
    for person in people:
        add_person(session, broadcast, person)
    for person, given in zip(made, messages, strict=True):
        add_message(session, broadcast, person, **given)
    return broadcast


def add_person(session: Session, broadcast: Broadcast, person: Person, **columns: Any) -> None:
    given = {"wave": REST} | columns
    session.add(
        AudiencePerson(broadcast_id=broadcast.id, person_id=person.id, environment=broadcast.environment, **given)
    )
    session.flush()


def add_message(session: Session, broadcast: Broadcast, person: Person, **columns: Any) -> Message:
    number = session.get_one(Number, broadcast.number_id)
    key = f"b:{broadcast.id}:{person.id}"
    given: dict[str, Any] = {"author_kind": "broadcast", "broadcast_id": broadcast.id, "source_key": key} | columns
    return factories.make_outbound(session, person, number, **given)


def answer(session: Session, broadcast: Broadcast, messages: Sequence[Message], **columns: Any) -> None:
    for message in messages:
        session.add(
            BroadcastResponse(
                broadcast_id=broadcast.id,
                person_id=message.person_id,
                environment=broadcast.environment,
                message_id=message.id,
                **columns,
            )
        )
    session.flush()
