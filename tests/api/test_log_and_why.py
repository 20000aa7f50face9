"""Programs read the log, ask why, and make two people one; only in the environment of their token."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.person import Person
from bot.team import tokens
from tests import factories as make

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(session: Session, client: FlaskClient) -> Ask:
    """An address below /api/v1, with the token of a program of Live; with a body it is a POST."""
    _, secret = tokens.create(session, "live", "shop")
    session.commit()

    def call(path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {secret}"}
        if body is not None:
            answer = client.post(f"/api/v1{path}", json=body, headers=headers)
        else:
            answer = client.get(f"/api/v1{path}", headers=headers)
        return answer.status_code, answer.json

    return call


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


@pytest.fixture
def ada(session: Session) -> Person:
    return make.make_person(session, distinct_id="ada-1")


def test_the_log_is_read_page_by_page_with_a_link_to_each_why(
    session: Session, ask: Ask, number: Number, ada: Person
) -> None:
    refusal: dict[str, Any] = {"state": "failed", "error_code": 131026, "error_text": "not on WhatsApp"}
    made = [make.make_outbound(session, ada, number, **(refusal if n == 1 else {})).id for n in range(3)]
    elsewhere, tester = make.make_number(session, environment="test"), make.make_person(session, environment="test")
    make.make_outbound(session, tester, elsewhere)
    session.commit()
    first = ask("/logs?limit=2")[1]
    rest = ask(f"/logs?limit=2&before={first['more']}")[1]
    assert [each["id"] for each in (*first["messages"], *rest["messages"])] == made[::-1]
    assert (rest["more"], rest["looked_back_to"]) == (None, None)
    [failed] = ask("/logs?state=failed&person=ada-1")[1]["messages"]
    assert failed["error"] == {"code": 131026, "text": "not on WhatsApp"}
    why = ask(failed["why_url"].removeprefix("/api/v1"))[1]
    assert (why["step"], why["message_id"]) == ("values" if failed["error"] is None else "answer", made[1])
    assert ask("/logs?author=coach")[1]["messages"] == []
    assert ask("/logs?since=2999-01-01T00:00:00Z")[1]["messages"] == []


def test_why_is_told_for_a_broadcast_and_a_day(session: Session, ask: Ask, number: Number, ada: Person) -> None:
    template = make.make_template(session, number.connection)
    broadcast = make.make_broadcast(session, number, make.make_segment(session, name="others"), template)
    session.commit()
    told = ask(f"/people/ada-1/why?broadcast={broadcast.id}")[1]
    assert (told["verdict"], told["step"], told["broadcast_id"]) == ("stopped", "segment", broadcast.id)
    assert told["fix"]
    assert {step["verdict"] for step in told["steps"][1:]} == {"not_reached"}
    assert set(told["steps"][0]) == {"step", "question", "verdict", "told", "at", "fix", "evidence"}
    day = ask("/people/ada-1/why?day=2026-01-31")[1]
    assert (day["day"], day["messages"], day["missing"]) == ("2026-01-31", [], [])
    assert ask("/people/ada-1/why")[1]["day"]


@pytest.mark.parametrize(
    "path, status, code",
    [
        ("/logs?state=evil", 400, "unexpected_query"),
        ("/logs?author=me", 400, "unexpected_query"),
        ("/logs?before=-1", 400, "unexpected_query"),
        ("/logs?limit=501", 400, "unexpected_query"),
        ("/logs?since=2026-01-31", 400, "unexpected_query"),
        ("/logs?person=nobody", 404, "unknown_person"),
        ("/logs?page=2", 400, "unexpected_query"),
        ("/people/nobody/why", 404, "unknown_person"),
        ("/people/ada-1/why?broadcast=987654321", 404, "not_found"),
        ("/people/ada-1/why?message=987654321", 404, "not_found"),
        ("/people/ada-1/why?message=x", 400, "unexpected_query"),
        ("/people/ada-1/why?day=2026-02-30", 400, "unexpected_query"),
        ("/people/ada-1/why?day=9999-12-31", 400, "unexpected_query"),
        ("/people/ada-1/why?day=2026-01-31&message=1", 400, "unexpected_query"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(
    session: Session, ask: Ask, ada: Person, path: str, status: int, code: str
) -> None:
    session.commit()
    answered, told = ask(path)
    assert (answered, told["error"]["code"]) == (status, code)


def test_a_preview_changes_nothing_and_the_merge_does_what_it_said(session: Session, ask: Ask, ada: Person) -> None:
    other = make.make_person(session, distinct_id="ada-2", last_name="Nour")
    session.commit()
    seen = ask("/people/ada-2/merge", {"with": "ada-1", "preview": True})[1]
    assert (seen["stays"]["id"], seen["goes"]["id"], seen["merged"]) == (ada.id, other.id, False)
    assert {"label": "Last name", "stays": None, "goes": "Nour", "result": "Nour"}.items() <= next(
        each for each in seen["fields"] if each["label"] == "Last name"
    ).items()
    assert ask("/people/ada-2/why")[0] == 200
    done = ask("/people/ada-2/merge", {"with": ada.id})[1]
    assert done | {"merged": False} == seen
    assert ask("/people/ada-2/why")[0] == 404


@pytest.mark.parametrize(
    "body, status, code",
    [
        ({}, 422, "invalid_field"),
        ({"with": True}, 422, "invalid_field"),
        ({"with": "ada-1", "preview": "no"}, 422, "invalid_field"),
        ({"with": "ada-1", "now": True}, 422, "invalid_field"),
        ({"with": "nobody"}, 404, "unknown_person"),
        ({"with": "tester"}, 404, "unknown_person"),
        ({"with": "ada-1"}, 409, "not_mergeable"),
    ],
)
def test_a_merge_that_cannot_be_is_refused(
    session: Session, ask: Ask, ada: Person, body: dict[str, Any], status: int, code: str
) -> None:
    make.make_person(session, environment="test", distinct_id="tester")
    session.commit()
    answered, told = ask("/people/ada-1/merge", body)
    assert (answered, told["error"]["code"]) == (status, code)
