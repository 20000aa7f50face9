"""Everybody and their properties, as programs ask for them."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.api import listing
from bot.models.person import Person
from bot.models.words import Environment, PropertyType
from bot.people import properties
from bot.team import tokens
from tests.api.conftest import make_app
from tests.factories import make_person


class Program:
    def __init__(self, client: FlaskClient, secret: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {secret}"}

    def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        answer = self.client.open(f"/api/v1{path}", method=method, headers=self.headers, **more)
        return answer.status_code, answer.get_json()


@pytest.fixture
def program(session: Session) -> Program:
    app = make_app()
    app.register_blueprint(listing.api)
    _, secret = tokens.create(session, "live", "crm")
    session.commit()
    return Program(app.test_client(), secret)


def test_people_are_searched_sorted_and_paged(program: Program, session: Session) -> None:
    made = [make_person(session, distinct_id=f"d{n}", country="EG", attributes={"plan": "gold"}).id for n in range(5)]
    make_person(session, environment=Environment.TEST, attributes={"plan": "gold"})
    session.commit()
    _, first = program.ask("GET", "/people?search=gold&sort=distinct_id&limit=2&country=eg")
    assert [each["id"] for each in first["people"]] == made[:2]
    assert first["before"] is None
    assert first["people"][0]["attributes"] == {"plan": "gold"}
    _, second = program.ask("GET", f"/people?search=gold&sort=distinct_id&limit=2&after={first['after']}")
    assert [each["id"] for each in second["people"]] == made[2:4]
    _, back = program.ask("GET", f"/people?search=gold&sort=distinct_id&limit=2&before={second['before']}")
    assert back["people"] == first["people"]
    _, last = program.ask("GET", f"/people?search=gold&sort=distinct_id&limit=2&after={second['after']}")
    assert (len(last["people"]), last["after"]) == (1, None)


@pytest.mark.parametrize(
    "query",
    ["sort=attributes", "sort=id;select", "status=x", "country=E'", "segment=1", "import=%27", "after=0", "limit=1000"],
)
def test_what_cannot_be_asked_is_refused_by_name(program: Program, session: Session, query: str) -> None:
    """Case 133."""
    make_person(session)
    session.commit()
    status, told = program.ask("GET", f"/people?{query}")
    assert (status, told["error"]["code"]) == (422, "bad_search")
    assert program.ask("GET", "/people?where=1")[0] == 400
    assert program.ask("GET", "/people?sort=id&sort=country")[0] == 400


def test_properties_are_made_shown_and_hidden(program: Program, session: Session) -> None:
    status, made = program.ask("POST", "/properties", json={"name": "plan", "type": "TEXT"})
    assert (status, made["group"], made["see_in_table"]) == (201, "custom", True)
    assert program.ask("PATCH", "/properties/plan", json={"see_in_table": False})[1]["see_in_table"] is False
    assert program.ask("PATCH", "/properties/nobody", json={"see_in_table": False})[0] == 404
    _, told = program.ask("GET", "/properties")
    assert [each["name"] for each in told["properties"] if each["group"] == "custom"] == ["plan"]
    assert properties.custom(session, "test") == {}


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("POST", "/properties", {"name": "x", "type": "TEXT", "environment": "test"}),
        ("POST", "/properties", {"name": "x", "type": "TEXT", "id": 1, "created_by_operator_id": 1}),
        ("POST", "/properties", {"name": "country", "type": "TEXT"}),
        ("POST", "/properties", {"name": ["x"], "type": {"a": 1}}),
        ("POST", "/properties", {}),
        ("PATCH", "/properties/plan", {"see_in_table": True, "type": "NUMBER"}),
        ("PATCH", "/properties/plan", {"see_in_table": "yes"}),
    ],
)
def test_nothing_but_what_is_offered_can_be_set(
    program: Program, session: Session, method: str, path: str, body: dict[str, Any]
) -> None:
    """Case 123."""
    properties.declare(session, "live", {"plan": PropertyType.TEXT})
    session.commit()
    before = session.execute(text("SELECT * FROM property")).all()
    assert program.ask(method, path, json=body)[0] == 422
    assert session.execute(text("SELECT * FROM property")).all() == before
    assert session.scalars(select(Person)).all() == []
