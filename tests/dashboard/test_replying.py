import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import create_app
from bot.conversations import threads
from bot.models.connection import Number
from bot.models.conversation import Conversation, Episode
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import AuthorKind, MessageState, Role
from bot.runtime import Runtime
from tests.dashboard.visitor import Visitor
from tests.factories import (
    make_conversation,
    make_number,
    make_operator,
    make_outbound,
    make_person,
)

KEY = "k" * 24


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
    assert "data-reply" not in page
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
