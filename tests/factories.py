"""Rows as a test needs them: plain functions, the session first, everything else has a likely value."""

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from argon2 import PasswordHasher
from sqlalchemy import insert
from sqlalchemy.orm import Session

from bot.models.broadcast import Broadcast, BroadcastSegment, Template
from bot.models.connection import Connection, Number
from bot.models.conversation import Conversation, Episode
from bot.models.journey import Journey
from bot.models.message import Message
from bot.models.person import Address, Person
from bot.models.segment import Segment, SegmentMember
from bot.models.team import ApiToken, Operator
from bot.models.words import (
    AddressKind,
    AuthorKind,
    BroadcastState,
    ConversationState,
    Direction,
    Environment,
    MessageState,
    Opener,
    Role,
)

Row = TypeVar("Row")

PASSWORD = "correct horse battery"
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Argon2 at its cheapest: the tests sign in hundreds of times."""

GREETING = [{"type": "BODY", "text": "Hello {{1}}", "example": {"body_text": [["Ada"]]}}]

_serial = itertools.count(1)


def next_phone() -> str:
    """A number that is valid in every table of numbering plans: Egyptian mobiles, one after another."""
    return f"+2010{next(_serial):08d}"


def make_connection(
    session: Session, slug: str = "", *, base_url: str = "http://127.0.0.1:9", sealed_secrets: bytes = b""
) -> Connection:
    number = next(_serial)
    connection = Connection(
        slug=slug or f"line-{number}",
        provider="cloud",
        account_id=f"{10**14 + number}",
        base_url=base_url,
        sealed_secrets=sealed_secrets,
    )
    return _added(session, connection)


def make_number(
    session: Session,
    connection: Connection | None = None,
    *,
    environment: str = Environment.LIVE,
    pace_per_s: int = 10_000,
) -> Number:
    connection = connection or make_connection(session)
    number = Number(
        connection_id=connection.id,
        environment=environment,
        provider_number_id=f"{2 * 10**14 + next(_serial)}",
        phone=next_phone(),
        name="Helpline",
        pace_per_s=pace_per_s,
    )
    return _added(session, number)


def make_person(
    session: Session, *, phone: str | None = "", environment: str = Environment.LIVE, **columns: Any
) -> Person:
    """Somebody with a phone number of their own; `phone=None` gives them none."""
    columns = {"distinct_id": f"person-{next(_serial)}", "first_name": "Ada"} | columns
    person = _added(session, Person(environment=environment, **columns))
    if phone is not None:
        make_address(session, person, AddressKind.PHONE, phone or next_phone())
    return person


def make_address(session: Session, person: Person, kind: str, value: str, dial: str | None = None) -> Address:
    address = Address(environment=person.environment, person_id=person.id, kind=kind, value=value, dial=dial)
    return _added(session, address)


def make_operator(session: Session, role: str = Role.ADMIN, *, email: str = "", active: bool = True) -> Operator:
    """A team member who signs in with PASSWORD."""
    operator = Operator(
        email=email or f"{role}-{next(_serial)}@example.org",
        name=f"{role.title()} {next(_serial)}",
        role=role,
        password_hash=QUICK_HASHER.hash(PASSWORD),
        active=active,
    )
    return _added(session, operator)


def make_segment(
    session: Session, people: Iterable[Person] = (), *, name: str = "", environment: str = Environment.LIVE
) -> Segment:
    segment = _added(session, Segment(environment=environment, name=name or f"segment {next(_serial)}"))
    members = [
        {"segment_id": segment.id, "person_id": person.id, "environment": person.environment} for person in people
    ]
    if members:
        session.execute(insert(SegmentMember), members)
    return segment


def make_template(
    session: Session, connection: Connection, *, name: str = "", components: list[Any] | None = None, **columns: Any
) -> Template:
    columns = {"language": "en", "category": "UTILITY", "status": "APPROVED"} | columns
    template = Template(
        connection_id=connection.id,
        name=name or f"greeting_{next(_serial)}",
        components=GREETING if components is None else components,
        **columns,
    )
    return _added(session, template)


def make_broadcast(
    session: Session,
    number: Number,
    segment: Segment,
    template: Template,
    *,
    slots: Mapping[str, str] | None = None,
    state: str = BroadcastState.DRAFT,
    **columns: Any,
) -> Broadcast:
    broadcast = Broadcast(
        environment=number.environment,
        name=f"broadcast {next(_serial)}",
        number_id=number.id,
        segments=[BroadcastSegment(segment_id=segment.id, environment=segment.environment)],
        template_id=template.id,
        slots=dict(slots or {"body.1": "<<user.first_name>>"}),
        state=state,
        **columns,
    )
    return _added(session, broadcast)


def make_journey(
    session: Session, *, spec: Mapping[str, Any] | None = None, environment: str = Environment.LIVE, **columns: Any
) -> Journey:
    columns = {"name": f"journey {next(_serial)}", "version": 1, "source": ""} | columns
    told = dict(spec or {"steps": [{"say": "Hello."}]})
    return _added(session, Journey(environment=environment, spec=told, **columns))


def make_token(session: Session, *, secret_hash: bytes = b"", environment: str = Environment.LIVE) -> ApiToken:
    number = next(_serial)
    token = ApiToken(environment=environment, name=f"token {number}", secret_hash=secret_hash or number.to_bytes(32))
    return _added(session, token)


def make_conversation(
    session: Session, person: Person, number: Number, *, last_inbound_at: datetime | None = None, **columns: Any
) -> Conversation:
    """An open conversation with the episode the person opened, written to just now."""
    at = last_inbound_at or datetime.now(UTC)
    columns = {"state": ConversationState.OPEN, "unread_count": 1} | columns
    conversation = Conversation(
        environment=number.environment,
        person_id=person.id,
        number_id=number.id,
        last_message_at=at,
        last_inbound_at=at,
        **columns,
    )
    _added(session, conversation)
    _added(session, Episode(conversation_id=conversation.id, opened_at=at, opened_by=Opener.PERSON))
    return conversation


def make_inbound(session: Session, person: Person, number: Number, body: str = "hello", **columns: Any) -> Message:
    columns = {"occurred_at": datetime.now(UTC), "provider_message_id": f"wamid.in.{next(_serial)}"} | columns
    message = Message(
        environment=number.environment,
        number_id=number.id,
        person_id=person.id,
        direction=Direction.IN,
        kind="text",
        body=body,
        content={"type": "text", "text": {"body": body}},
        state=MessageState.RECEIVED,
        **columns,
    )
    return _added(session, message)


def make_outbound(session: Session, person: Person, number: Number, body: str = "hello", **columns: Any) -> Message:
    """An outbound row in the state asked for; for tests of what reads messages, never of what writes them."""
    columns = {"state": MessageState.QUEUED, "author_kind": AuthorKind.AUTOMATION} | columns
    columns = {"occurred_at": datetime.now(UTC), "to_address": next_phone()} | columns
    message = Message(
        environment=number.environment,
        number_id=number.id,
        person_id=person.id,
        direction=Direction.OUT,
        kind="text",
        body=body,
        content={"type": "text", "text": {"body": body}},
        **columns,
    )
    return _added(session, message)


def _added(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
