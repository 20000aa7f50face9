import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.inbox import InboxPolicy, ReadReceipt
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import Environment, PropertyType, Role
from bot.people import properties
from tests.dashboard.visitor import Visitor
from tests.factories import (
    make_conversation,
    make_inbound,
    make_number,
    make_person,
)


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


def test_only_reading_and_typing_by_who_may_answer_is_shown_to_people(
    coach: Visitor, signed_in: Callable[[Role], Visitor], session: Session, conversation: Conversation
) -> None:
    session.add(InboxPolicy(environment="live", tells="typing"))
    session.commit()
    viewer = signed_in(Role.VIEWER)
    for visitor in (viewer, coach):
        visitor.get(f"/inbox/{conversation.id}")
        visitor.get("/inbox")
    assert viewer.post(f"/inbox/{conversation.id}/presence", {"typing": "yes"}).status_code == 200
    assert session.scalars(select(ReadReceipt)).all() == []
    coach.post(f"/inbox/{conversation.id}/presence", {"typing": "yes"})
    assert session.scalars(select(ReadReceipt.is_typing)).all() == [True]


def test_the_panel_on_a_person_takes_what_is_not_known_yet_and_tells_what_was(
    coach: Visitor, session: Session, conversation: Conversation, ada: Person
) -> None:
    properties.declare(session, "live", {"goal": PropertyType.TEXT})
    session.commit()
    panel = coach.get(f"/inbox/{conversation.id}/contact").text
    assert "Not known yet" in panel
    assert re.search(r"opened <time.*by them", panel)
    assert coach.post(f"/people/{ada.id}/attributes", {"value.goal": "Reading", "was.goal": ""}).status_code == 303
    panel = coach.get(f"/inbox/{conversation.id}/contact").text
    assert 'value="Reading"' in panel
    assert "Not known yet" not in panel


def test_a_page_knows_its_own_reply_though_the_answer_to_it_was_lost(
    coach: Visitor, conversation: Conversation
) -> None:
    coach.get("/inbox")
    coach.post(f"/inbox/{conversation.id}/reply", {"text": "here", "key": "page-made-this-key"})
    assert 'data-key="page-made-this-key"' in coach.get(f"/inbox/{conversation.id}/live").text


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


def test_the_newest_conversation_stands_first_whichever_are_shown(
    coach: Visitor, session: Session, number: Number
) -> None:
    now = datetime.now(UTC)
    for name, minutes, state in (("Old", 9, "open"), ("Newest", 1, "closed"), ("Middle", 5, "open")):
        person = make_person(session, first_name=name, last_name=None)
        at = now - timedelta(minutes=minutes)
        make_conversation(session, person, number, last_inbound_at=at, state=state)
    session.commit()
    shown = {
        state: re.findall(r"\b(?:Old|Newest|Middle)\b", coach.get(f"/inbox/rows?state={state}").text)
        for state in ("open", "closed", "all")
    }
    assert {state: list(dict.fromkeys(names)) for state, names in shown.items()} == {
        "open": ["Middle", "Old"],
        "closed": ["Newest"],
        "all": ["Newest", "Middle", "Old"],
    }


def test_a_long_list_is_read_in_pages(coach: Visitor, session: Session, number: Number) -> None:
    at = datetime.now(UTC)
    for count in range(60):
        person = make_person(session, first_name=f"Person{count:02}", last_name=None)
        make_conversation(session, person, number, last_inbound_at=at)
    session.commit()
    first = coach.get("/inbox").text
    more = re.search(r'href="([^"]*after=[^"]*)"', first)
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
