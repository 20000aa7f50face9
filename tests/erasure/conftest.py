"""Ada, of whom the database knows everything it can know of anybody, and Bob beside her."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import app
from bot.erasure import erasing
from bot.erasure.erasing import Actor
from bot.models.connection import Number
from bot.models.message import Media, StatusEvent
from bot.models.person import ConsentEvent, Erasure, Person, PersonMerge
from bot.models.webhook import Quarantine, WebhookEvent
from bot.models.words import AddressKind, MediaState, MessageState
from bot.runtime import Runtime
from tests import factories as make
from tests.erasure.scan import scan
from webhooks import partitions

PHONE = "+201098765012"
DIGITS = PHONE.removeprefix("+")
BOB = "+201099999999"
WORDS = (DIGITS, "1098765012", "EG.ada-user-id", "Lovelace", "ada-4711", "ada@example.org", "my knee hurts")
"""None of these may stand anywhere once Ada is erased."""


@dataclass
class Story:
    rt: Runtime
    session: Session
    number: Number
    ada: Person
    bob: Person

    def erase(self, **actor: int) -> Erasure:
        """And search everywhere, as the clock does."""
        with self.rt.transaction() as session:
            erasure = erasing.erase(session, self.rt.settings, self.ada.id, Actor(**actor))
        self.go_on()
        self.session.expire_all()
        return self.session.get_one(Erasure, erasure.id)

    def go_on(self) -> None:
        app.search_erased(self.rt, 30)

    def found(self) -> list[str]:
        self.session.flush()
        return scan(self.session.connection(), WORDS)

    def ask(self, query: str, **values: Any) -> Any:
        self.session.flush()
        return self.session.execute(text(query), values).scalar()


@pytest.fixture
def story(rt: Runtime, session: Session) -> Story:
    partitions.ensure(session)
    number = make.make_number(session)
    ada = make.make_person(
        session,
        phone=PHONE,
        distinct_id="ada-4711",
        first_name="Ada",
        last_name="Lovelace",
        attributes={"email": "ada@example.org", "complaint": "my knee hurts"},
        country="EG",
    )
    make.make_address(session, ada, AddressKind.USER_ID, "EG.ada-user-id")
    make.make_address(session, ada, AddressKind.EMAIL, "ada@example.org")
    bob = make.make_person(session, phone=BOB, distinct_id="bob", first_name="Bob")
    _talk(session, number, ada)
    _talk(session, number, bob)
    _tell(session, number, ada)
    session.commit()
    return Story(rt, session, number, ada, bob)


def _talk(session: Session, number: Number, person: Person) -> None:
    """Said, sent, waiting, reported, with a file and a conversation."""
    name = person.first_name
    asked = make.make_inbound(session, person, number, f"{name}: my knee hurts", provider_message_id=f"wamid.{name}.in")
    if person.first_name == "Bob":
        asked.body, asked.content = "hello", {"type": "text", "text": {"body": "hello"}}
    segment = make.make_segment(session, [person])
    template = make.make_template(session, number.connection)
    broadcast = make.make_broadcast(session, number, segment, template)
    phone = PHONE if name == "Ada" else BOB
    sent = make.make_outbound(
        session,
        person,
        number,
        f"Dear {person.last_name}",
        state=MessageState.ACCEPTED,
        to_address=phone,
        provider_message_id=f"wamid.{name}.out",
        author_kind="broadcast",
        broadcast_id=broadcast.id,
        delivery_level=2,
        source_key=f"b:{broadcast.id}:{person.id}",
    )
    make.make_outbound(session, person, number, "waits", to_address=phone)
    now = datetime.now(UTC)
    session.add(
        StatusEvent(
            number_id=number.id,
            provider_message_id=f"wamid.{name}.out",
            message_id=sent.id,
            status="delivered",
            occurred_at=now,
            recipient=phone.removeprefix("+"),
        )
    )
    session.add(
        Media(message_id=asked.id, number_id=number.id, name=f"{person.last_name}.jpg", state=MediaState.FAILED)
    )
    make.make_conversation(session, person, number)
    session.flush()


def _tell(session: Session, number: Number, ada: Person) -> None:
    """What is kept beside the tables that name her."""
    at = datetime.now(UTC) - timedelta(minutes=5)
    session.add(
        ConsentEvent(
            environment="live",
            person_id=ada.id,
            category="marketing",
            value="stop",
            source="webhook",
            detail="my knee hurts",
            occurred_at=at,
        )
    )
    session.add(
        PersonMerge(environment="live", person_id=ada.id, gone_id=10**9, gone_distinct_id="Lovelace-old", reason="x")
    )
    session.flush()
    body = cloud_body(number, message(DIGITS, "my knee hurts"), message(BOB[1:], "hello"))
    event = make.next_phone()  # a number of the serial, so that bodies differ
    session.add(
        WebhookEvent(
            connection_id=number.connection_id, body=body + b" " * (len(event) % 3), state="done", received_at=at
        )
    )
    session.add(
        WebhookEvent(
            connection_id=number.connection_id,
            body=b"From=whatsapp%3A%2B" + DIGITS.encode() + b"&Body=x",
            state="new",
            received_at=at,
        )
    )
    session.add(
        Quarantine(
            connection_id=number.connection_id,
            webhook_event_id=1,
            pointer="/x",
            reason="bad",
            item={"from": DIGITS, "text": {"body": "my knee hurts"}},
        )
    )
    session.flush()


def message(sender: str, body: str, **members: Any) -> dict[str, Any]:
    return {
        "from": sender,
        "id": f"wamid.{sender}.{body}",
        "timestamp": "1700000000",
        "type": "text",
        "text": {"body": body},
        **members,
    }


def cloud_body(number: Number, *messages: dict[str, Any]) -> bytes:
    contacts = [
        {"profile": {"name": "Lovelace" if one["from"] == DIGITS else "Bob"}, "wa_id": one["from"]} for one in messages
    ]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number.phone[1:], "phone_number_id": number.provider_number_id},
        "contacts": contacts,
        "messages": list(messages),
    }
    change = {"field": "messages", "value": value}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]})
