import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import create_app
from bot.conversations import threads
from bot.models.connection import Number
from bot.models.conversation import Conversation, Episode
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import AuthorKind, Environment, MessageState, Role
from bot.runtime import Runtime
from tests.dashboard.visitor import Visitor
from tests.factories import (
    make_broadcast,
    make_conversation,
    make_inbound,
    make_journey,
    make_number,
    make_operator,
    make_outbound,
    make_person,
    make_segment,
    make_template,
    make_token,
)

KEY = "k" * 24


@pytest.fixture
def coach(signed_in: Callable[[Role], Visitor]) -> Visitor:
    return signed_in(Role.COACH)


@pytest.fixture
def number(session: Session) -> Number:
    return make_number(session)


@pytest.fixture
def ada(session: Session) -> Person:
    return make_person(session, first_name="Ada", last_name="Lovelace")


@pytest.fixture
def conversation(session: Session, number: Number, ada: Person) -> Conversation:
    """Ada wrote "hello" an hour ago."""
    at = datetime.now(UTC) - timedelta(hours=1)
    found = make_conversation(session, ada, number, last_inbound_at=at)
    make_inbound(session, ada, number, occurred_at=at)
    session.commit()
    return found


def replies(session: Session) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.author_kind == AuthorKind.COACH).order_by(Message.id)))


def test_a_coach_sees_who_wrote_and_answers(coach: Visitor, session: Session, conversation: Conversation) -> None:
    inbox = coach.get("/inbox").text
    assert "Ada Lovelace" in inbox
    assert 'aria-label="1 unread"' in inbox
    page = coach.get(f"/inbox/{conversation.id}").text
    assert "Opened by the person" in page
    assert "You can write freely for another 22 hours." in page
    answer = coach.post(f"/inbox/{conversation.id}/reply", {"text": "Hi Ada,\r\nhow are you?", "key": KEY})
    assert answer.status_code == 303
    (reply,) = replies(session)
    assert (reply.body, reply.state) == ("Hi Ada,\nhow are you?", MessageState.QUEUED)
    page = coach.get(answer.location).text
    assert re.search(r"Coach · Coach \d+", page)
    assert "Waiting to be sent" in page


def test_a_form_sent_twice_is_one_message(coach: Visitor, session: Session, conversation: Conversation) -> None:
    for _ in range(2):
        assert coach.post(f"/inbox/{conversation.id}/reply", {"text": "Hi", "key": KEY}).status_code == 303
    assert len(replies(session)) == 1


def test_another_text_in_the_same_form_is_another_message(
    coach: Visitor, session: Session, conversation: Conversation
) -> None:
    for text in ("Hi", "How are you?"):
        coach.post(f"/inbox/{conversation.id}/reply", {"text": text, "key": KEY})
    assert [reply.body for reply in replies(session)] == ["Hi", "How are you?"]


def test_a_double_click_at_the_same_instant_is_one_message(live_rt: Runtime) -> None:
    with live_rt.transaction() as tx:
        operator = make_operator(tx, Role.COACH)
        conversation = make_conversation(tx, make_person(tx), make_number(tx))
    app = create_app(live_rt)
    visitors = [Visitor(app.test_client()).sign_in(operator) for _ in range(4)]
    answers: list[int] = []

    def click(visitor: Visitor) -> None:
        path = f"/inbox/{conversation.id}/reply"
        answers.append(visitor.post(path, {"text": "Hi", "key": KEY}).status_code)

    clicks = [threading.Thread(target=click, args=(visitor,)) for visitor in visitors]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert answers == [303] * 4
    with live_rt.transaction() as tx:
        assert tx.scalar(select(func.count()).select_from(Message)) == 1


def test_after_24_hours_there_is_no_box_and_the_server_refuses(
    coach: Visitor, session: Session, conversation: Conversation
) -> None:
    session.execute(update(Conversation).values(last_inbound_at=datetime.now(UTC) - timedelta(hours=24, seconds=1)))
    session.commit()
    page = coach.get(f"/inbox/{conversation.id}").text
    assert "<textarea" not in page
    assert "More than 24 hours have passed" in page
    answer = coach.post(f"/inbox/{conversation.id}/reply", {"text": "Too late", "key": KEY})
    assert answer.status_code == 409
    assert "Too late" in answer.text
    assert "window has closed" in answer.text
    assert replies(session) == []


def test_the_window_counts_from_the_persons_message_not_from_ours(
    coach: Visitor, session: Session, conversation: Conversation, ada: Person, number: Number
) -> None:
    session.execute(update(Conversation).values(last_inbound_at=datetime.now(UTC) - timedelta(hours=23, minutes=30)))
    make_outbound(session, ada, number)
    session.commit()
    page = coach.get(f"/inbox/{conversation.id}").text
    assert re.search(r"another (29|30) minutes", page)
    assert "window-ending" in page


def test_a_reply_to_a_conversation_closed_meanwhile_is_kept_for_the_coach(
    coach: Visitor, session: Session, conversation: Conversation
) -> None:
    threads.close(session, conversation.id, make_operator(session).id)
    session.commit()
    answer = coach.post(f"/inbox/{conversation.id}/reply", {"text": "I typed this", "key": KEY})
    assert answer.status_code == 409
    assert "I typed this" in answer.text
    assert replies(session) == []


@pytest.mark.parametrize(
    "form, why",
    [
        ({"text": "  \n", "key": KEY}, "nothing to send"),
        ({"text": "x" * 4097, "key": KEY}, "4097 characters"),
        ({"text": "Hi"}, "incomplete"),
        ({"text": "Hi", "key": "short"}, "incomplete"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_reason(
    coach: Visitor, session: Session, conversation: Conversation, form: dict[str, object], why: str
) -> None:
    answer = coach.post(f"/inbox/{conversation.id}/reply", form)
    assert answer.status_code == 422
    assert why in answer.text
    assert replies(session) == []


def test_closing_without_a_reply_is_recorded_and_reopening_begins_an_episode(
    coach: Visitor, session: Session, conversation: Conversation
) -> None:
    assert "Close without a reply?" in coach.get(f"/inbox/{conversation.id}").text
    coach.post(f"/inbox/{conversation.id}/close")
    assert "Ada" not in coach.get("/inbox").text
    assert "Ada" in coach.get("/inbox?state=closed").text
    page = coach.get(f"/inbox/{conversation.id}").text
    assert re.search(r"Closed without a reply by Coach \d+", page)
    assert "Send" not in page
    coach.post(f"/inbox/{conversation.id}/reopen")
    assert re.search(r"Reopened by Coach \d+", coach.get(f"/inbox/{conversation.id}").text)
    assert session.scalar(select(func.count()).select_from(Episode)) == 2


def test_closing_what_a_colleague_just_closed_does_no_harm(
    coach: Visitor, session: Session, conversation: Conversation
) -> None:
    for _ in range(2):
        assert coach.post(f"/inbox/{conversation.id}/close").status_code == 303
    assert "It was closed already." in coach.get("/inbox").text
    assert session.scalar(select(func.count()).select_from(Episode)) == 1


def test_reading_a_page_marks_nothing_as_read(coach: Visitor, session: Session, conversation: Conversation) -> None:
    coach.get(f"/inbox/{conversation.id}")
    coach.get(f"/inbox/{conversation.id}/live")
    assert session.scalar(select(Conversation.unread_count)) == 1
    last = session.scalars(select(Message.id)).one()
    assert coach.post(f"/inbox/{conversation.id}/read", {"last": last, "quietly": "yes"}).status_code == 204
    assert session.scalar(select(Conversation.unread_count)) == 0


def test_what_arrives_while_a_coach_reads_stays_unread(
    coach: Visitor, session: Session, conversation: Conversation, ada: Person, number: Number
) -> None:
    seen = session.scalars(select(Message.id)).one()
    make_inbound(session, ada, number, "and one more thing")
    session.execute(update(Conversation).values(unread_count=2))
    session.commit()
    coach.post(f"/inbox/{conversation.id}/read", {"last": seen})
    assert session.scalar(select(Conversation.unread_count)) == 1


def test_the_script_is_told_when_nothing_has_changed(
    coach: Visitor, session: Session, conversation: Conversation, ada: Person, number: Number
) -> None:
    for path in ("/inbox/rows", f"/inbox/{conversation.id}/live"):
        first = coach.get(path)
        assert first.status_code == 200
        again = coach.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    make_inbound(session, ada, number, "news")
    session.commit()
    changed = coach.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert "news" in changed.text


def test_a_page_left_alone_does_not_keep_its_session_alive(
    coach: Visitor, session: Session, conversation: Conversation
) -> None:
    session.connection().exec_driver_sql("UPDATE sign_in SET seen_at = now() - interval '119 minutes'")
    session.commit()
    assert coach.get("/inbox/rows").status_code == 200
    session.connection().exec_driver_sql("UPDATE sign_in SET seen_at = seen_at - interval '2 minutes'")
    session.commit()
    assert coach.get("/inbox/rows").status_code == 401


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
        seen = re.findall(r'<p class="said">(.*?)</p>', page) + seen
        found = re.search(r'href="([^"]*)">Earlier messages', page)
        address = found[1].replace("&amp;", "&") if found else None
        pages += 1
    assert seen == ["hello", *(f"message {count:03}" for count in range(204))]
    assert pages == 3


def test_a_long_list_is_read_in_pages(coach: Visitor, session: Session, number: Number) -> None:
    at = datetime.now(UTC)
    for count in range(60):
        person = make_person(session, first_name=f"Person{count:02}", last_name=None)
        make_conversation(session, person, number, last_inbound_at=at)
    session.commit()
    first = coach.get("/inbox").text
    more = re.search(r'href="([^"]*before=[^"]*)"', first)
    assert more
    second = coach.get(more[1].replace("&amp;", "&")).text
    names = re.findall(r"Person\d\d", first) + re.findall(r"Person\d\d", second)
    assert len(set(names)) == 60


def test_each_environment_has_its_own_inbox(coach: Visitor, session: Session, conversation: Conversation) -> None:
    number = make_number(session, environment=Environment.TEST)
    grace = make_person(session, first_name="Grace", environment=Environment.TEST)
    other = make_conversation(session, grace, number)
    session.commit()
    live, test = coach.get("/inbox").text, coach.get("/inbox?environment=test").text
    assert "Ada" in live
    assert "Grace" not in live
    assert "Grace" in test
    assert "Ada" not in test
    assert "environment=test" in coach.get(f"/inbox/{other.id}").text


@pytest.mark.parametrize("path", ["/inbox/999999", "/inbox/999999/live", f"/inbox/{10**30}", "/inbox/-1"])
def test_a_conversation_that_is_not_there_is_not_found(coach: Visitor, path: str) -> None:
    assert coach.get(path).status_code == 404


@pytest.mark.parametrize("query", ["before=x", f"before={10**30}", "before=999999", "state=nonsense", "before=-1"])
def test_an_address_somebody_played_with_is_no_error(coach: Visitor, conversation: Conversation, query: str) -> None:
    for path in ("/inbox", f"/inbox/{conversation.id}"):
        assert coach.get(f"{path}?{query}").status_code == 200


def test_an_empty_inbox_says_what_to_do_next(app: Flask, coach: Visitor, session: Session) -> None:
    assert "backchat number add" in coach.get("/inbox").text
    make_number(session)
    session.commit()
    page = coach.get("/inbox").text
    assert "Nobody is waiting" in page
    assert 'href="http://127.0.0.1:9/"' in page
