"""Colleagues called by name: where, how often unseen, and seen once their conversation is opened."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from bot.conversations import notes
from bot.models.conversation import Conversation
from bot.models.team import Operator
from bot.models.words import Role
from tests.dashboard.visitor import Visitor
from tests.factories import make_operator

Called = tuple[Visitor, Operator, Operator]


@pytest.fixture
def called(app: Flask, session: Session, conversation: Conversation) -> Called:
    """Kim's browser, and Kim, whom Lee has called in a note."""
    kim, lee = make_operator(session, Role.COACH), make_operator(session, Role.COACH)
    visitor = Visitor(app.test_client()).sign_in(kim)
    notes.write(session, conversation.id, lee.id, f"@{kim.name}, do you know her?", "k" * 16)
    session.commit()
    return visitor, kim, lee


def count(visitor: Visitor) -> int:
    return int(visitor.get("/inbox/mentions/count").get_json()["count"])


def test_who_was_called_is_told_where_and_how_often_until_they_open_it(
    called: Called, coach: Visitor, conversation: Conversation
) -> None:
    kim, _, lee = called
    page = kim.get("/inbox/mentions").text
    assert f"/inbox/{conversation.id}#note-" in page
    assert "Ada Lovelace" in page
    assert f"{lee.name} wrote" in page
    assert (count(kim), count(coach)) == (1, 0)
    assert "data-count>1<" in kim.get("/people").text
    thread = kim.get(f"/inbox/{conversation.id}")
    assert "memo is-unseen" in thread.text
    assert "memo is-unseen" not in coach.get(f"/inbox/{conversation.id}").text
    assert count(kim) == 1  # fetching a page is not opening it
    kim.post(f"/inbox/{conversation.id}/read", {"last": 0, "quietly": "yes"})
    assert count(kim) == 0
    assert "memo is-unseen" not in kim.get(f"/inbox/{conversation.id}").text
    assert "is-unseen" not in kim.get("/inbox/mentions").text


def test_the_team_s_mentions_are_listed_and_only_where_one_is(
    called: Called, coach: Visitor, signed_in: Callable[[Role], Visitor]
) -> None:
    *_, lee = called
    assert "Nobody called you" in coach.get("/inbox/mentions").text
    assert f"{lee.name} told Coach" in coach.get("/inbox/mentions?everybody=yes").text
    assert "Nobody was called" in coach.get("/inbox/mentions?everybody=yes&environment=test").text
    assert signed_in(Role.MARKETER).get("/inbox/mentions").status_code == 403


def test_mentions_are_read_in_pages(session: Session, called: Called, conversation: Conversation) -> None:
    visitor, kim, lee = called
    for n in range(notes.PAGE + 5):
        notes.write(session, conversation.id, lee.id, f"@{kim.name} and @{lee.name}: {n}", f"{n:016}")
    session.commit()
    found, more = notes.mentions(session, "live", kim.id)
    rest, none = notes.mentions(session, "live", kim.id, before=more)
    assert len({each.note_id for each in (*found, *rest)}) == len(found) + len(rest) == notes.PAGE + 6
    assert none is None
    assert visitor.get(f"/inbox/mentions?before={10**30}").status_code == 200
