"""A thread as its page and its stream show it: everything that moves, loaded anew at each look."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from bot.conversations import files, held, presence, window
from bot.conversations.held import Waiting
from bot.conversations.presence import Colleague
from bot.dashboard import people, timeline
from bot.dashboard.timeline import Timeline
from bot.models.connection import Connection, Number
from bot.models.conversation import Conversation
from bot.models.person import Person
from bot.models.words import Environment
from bot.runtime import Runtime

ENDING = timedelta(hours=2)
"""So long before the window closes the countdown warns."""


@dataclass(frozen=True, slots=True)
class Thread:
    id: int
    environment: Environment
    person_id: int
    name: str
    phone: str | None
    number: str
    is_open: bool
    unread: int
    closes_at: datetime | None
    """When the 24-hour window ends or ended; None if they never wrote."""
    can_write: bool
    is_ending: bool
    held: Waiting | None
    here: tuple[Colleague, ...]
    """Who has the thread before them, the reader too."""
    takes_files: bool
    """Whether its number's provider takes files from here."""
    timeline: Timeline

    @property
    def composer(self) -> str:
        """Which of the three composers stands below it."""
        return "closed" if not self.is_open else "write" if self.can_write else "shut"


def load(
    session: Session, rt: Runtime, conversation_id: int, before: int | None = None, at: int | None = None
) -> Thread:
    """`before` and `at` are messages: what came before the one, what is around the other. Raises NoResultFound."""
    found = session.execute(_head(), {"id": conversation_id}).one()
    conversation = found.Conversation
    closes = window.closes_at(conversation)
    left = closes - datetime.now(UTC) if closes else timedelta()
    return Thread(
        id=conversation.id,
        environment=Environment(conversation.environment),
        person_id=conversation.person_id,
        name=found.person,
        phone=found.phone,
        number=f"{found.name} {found.line}",
        is_open=conversation.state == "open",
        unread=conversation.unread_count,
        closes_at=closes,
        can_write=left > timedelta(),
        is_ending=timedelta() < left < ENDING,
        held=held.waiting(session, conversation.id),
        here=presence.here(session, rt.redis, conversation.id),
        takes_files=files.takes(found.provider),
        timeline=timeline.load(session, conversation, before, at),
    )


@cache
def _head() -> Select[Conversation, str, str | None, str, str, str]:
    return (
        select(
            Conversation,
            people.name().label("person"),
            people.phone().label("phone"),
            Number.name,
            Number.phone.label("line"),
            Connection.provider,
        )
        .join(Person, Person.id == Conversation.person_id)
        .join(Number, Number.id == Conversation.number_id)
        .join(Connection, Connection.id == Number.connection_id)
        .where(Conversation.id == bindparam("id"))
    )
