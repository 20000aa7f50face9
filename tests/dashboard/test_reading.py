import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.message import Message
from bot.models.person import Person
from tests.dashboard.visitor import Visitor
from tests.factories import (
    make_broadcast,
    make_inbound,
    make_journey,
    make_operator,
    make_outbound,
    make_segment,
    make_template,
    make_token,
)


def test_every_author_is_told_apart(coach: Visitor, session: Session, conversation: Conversation) -> None:
    person, number = session.get_one(Person, conversation.person_id), session.get_one(Number, conversation.number_id)
    broadcast = make_broadcast(session, number, make_segment(session), make_template(session, number.connection))
    journey, token, operator = make_journey(session), make_token(session), make_operator(session)
    authors: dict[str, dict[str, Any]] = {
        f"Stack · {journey.name}": {"author_kind": "stack", "journey_id": journey.id},
        f"API · {token.name}": {"author_kind": "api", "token_id": token.id},
        f"Coach · {operator.name}": {"author_kind": "coach", "operator_id": operator.id},
        f"Broadcast · {broadcast.name}": {"author_kind": "broadcast", "broadcast_id": broadcast.id},
        "Automation": {"author_kind": "automation"},
    }
    for columns in authors.values():
        make_outbound(session, person, number, **columns)
    session.commit()
    page = coach.get(f"/inbox/{conversation.id}").text
    assert re.findall(r'<p class="author">(.*?)</p>', page) == list(authors)


@pytest.mark.parametrize(
    "columns, words",
    [
        ({"state": "queued"}, "Waiting to be sent"),
        ({"state": "accepted"}, "Taken by WhatsApp"),
        ({"state": "accepted", "delivery_level": 2}, "Delivered"),
        ({"state": "accepted", "delivery_level": 3}, "Read"),
        ({"state": "failed", "error_text": "the 24-hour window is closed"}, "The 24-hour window is closed."),
        ({"state": "failed", "error_code": 131026}, "WhatsApp gave error 131026."),
        ({"state": "failed"}, "WhatsApp gave no reason."),
        ({"state": "suppressed", "error_text": "messages to this person are switched off"}, "Not sent"),
        ({"state": "cancelled"}, "Cancelled before it was sent"),
        ({"state": "unknown"}, "In doubt"),
        ({"state": "presumed_unsent"}, "Probably not sent"),
    ],
)
def test_how_far_a_message_got_is_said_in_words(
    coach: Visitor, session: Session, conversation: Conversation, columns: dict[str, Any], words: str
) -> None:
    person, number = session.get_one(Person, conversation.person_id), session.get_one(Number, conversation.number_id)
    make_outbound(session, person, number, **columns)
    session.commit()
    assert words in coach.get(f"/inbox/{conversation.id}").text


@pytest.mark.parametrize(
    "kind, part, body, words",
    [
        ("image", {"caption": "My cat"}, "My cat", ["Photo", "My cat"]),
        ("audio", {"voice": True}, None, ["Voice message"]),
        ("document", {"filename": "cv.pdf"}, "cv.pdf", ["Document", "cv.pdf"]),
        ("location", {"latitude": 48.2, "longitude": 16.4}, "Library", ["Location", "Library", "48.2, 16.4"]),
        ("contacts", [{"name": {}}], "Grace Hopper", ["Contact card", "Grace Hopper"]),
        ("interactive", {"type": "button_reply"}, "Yes please", ["Chose", "Yes please"]),
        ("sticker", {}, None, ["Sticker"]),
        ("unsupported", {}, None, ["does not pass on"]),
        ("hologram", {}, None, ["A message of the kind “hologram”"]),
    ],
)
def test_every_kind_of_message_can_be_read(
    coach: Visitor, session: Session, conversation: Conversation, kind: str, part: object, body: str, words: list[str]
) -> None:
    message = session.scalars(select(Message)).one()
    message.kind, message.content, message.body = kind, {"type": kind, kind: part}, body
    session.commit()
    page = coach.get(f"/inbox/{conversation.id}").text
    assert [word for word in words if word not in page] == []


HOSTILE = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(2)></textarea>{{1234*4321}}<<1234*4321>>javascript:alert(3)"
)


def test_what_people_write_stays_text(coach: Visitor, session: Session, conversation: Conversation) -> None:
    person, number = session.get_one(Person, conversation.person_id), session.get_one(Number, conversation.number_id)
    person.first_name = HOSTILE
    make_inbound(session, person, number, HOSTILE)
    document = make_inbound(session, person, number, HOSTILE)
    document.kind, document.content = "document", {"document": {"filename": HOSTILE + ".pdf"}}
    make_outbound(session, person, number, state="failed", error_text=HOSTILE)
    journey = make_journey(session, name=HOSTILE)
    make_outbound(session, person, number, author_kind="stack", journey_id=journey.id)
    session.commit()
    for path in ("/inbox", f"/inbox/{conversation.id}"):
        page = coach.get(path).text
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "{{1234*4321}}" in page
        assert str(1234 * 4321) not in page


def test_a_long_thread_is_read_in_pages(coach: Visitor, session: Session, conversation: Conversation) -> None:
    person, number = session.get_one(Person, conversation.person_id), session.get_one(Number, conversation.number_id)
    same_time = datetime.now(UTC) - timedelta(minutes=30)
    for count in range(204):
        make_inbound(session, person, number, f"message {count:03}", occurred_at=same_time)
    session.commit()
    seen: list[str] = []
    address: str | None = f"/inbox/{conversation.id}"
    pages = 0
    while address:
        page = coach.get(address).text
        seen = re.findall(r'<p class="said" dir="auto">(.*?)</p>', page) + seen
        found = re.search(r'href="([^"]*)">Earlier messages', page)
        address = found[1].replace("&amp;", "&") if found else None
        pages += 1
    assert seen == ["hello", *(f"message {count:03}" for count in range(204))]
    assert pages == 3
