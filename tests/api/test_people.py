"""/api/v1/people and /api/v1/topics: one person, whole, by a program."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bot.api import profiles, wishes
from bot.models.message import Message
from bot.models.person import ConsentEvent, Person
from bot.models.preference import Preference
from bot.people import topics
from bot.runtime import Runtime
from bot.team import tokens
from tests import factories as make
from tests.api.conftest import Shop, make_app

WHOLE = {
    "distinct_id": "customer-7",
    "first_name": "Mona",
    "country": "EG",
    "addresses": {"phone": "+201012345678", "email": "Mona@example.org"},
    "attributes": {"grade": 7, "home": {"latitude": 30.04, "longitude": 31.23}},
    "types": {"grade": "NUMBER", "home": "LOCATION"},
}


@pytest.fixture
def shop(rt: Runtime, session: Session) -> Shop:
    token, secret = tokens.create(session, "live", "shop")
    app = make_app()
    for noun in (profiles, wishes):
        if noun.api.name not in app.blueprints:
            app.register_blueprint(noun.api)
    return Shop(app.test_client(), token, secret, make.make_number(session))


def ask(shop: Shop, method: str, path: str, body: Any = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {shop.secret}"}
    return shop.client.open(f"/api/v1{path}", method=method, json=body, headers=headers)


def told(answer: TestResponse, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_person_is_made_shown_and_changed_by_a_program(shop: Shop, session: Session) -> None:
    """B13: properties of every kind, as by hand on the page."""
    made = told(ask(shop, "POST", "/people", WHOLE), 201)
    assert made["addresses"] == {"phone": ["+201012345678"], "email": ["mona@example.org"]}
    assert made["attributes"] == WHOLE["attributes"]
    for who in (made["id"], "distinct:customer-7", "%2B201012345678"):
        assert told(ask(shop, "GET", f"/people/{who}")) == made
    body = {"attributes": {"grade": None}, "addresses": {"email": None}, "enabled": False}
    changed = told(ask(shop, "PATCH", "/people/distinct:customer-7", body))
    assert (changed["attributes"].keys(), changed["addresses"].keys()) == ({"home"}, {"phone"})
    assert (changed["enabled"], changed["first_name"]) == (False, "Mona")


@pytest.mark.parametrize("name", ["id", "environment", "created_at", "marketing_opted_out_at", "search", "role"])
@pytest.mark.parametrize("method, path", [("POST", "/people"), ("PATCH", "/people/distinct:mona")])
def test_what_is_ours_cannot_be_set(shop: Shop, session: Session, method: str, path: str, name: str) -> None:
    """Case 123."""
    person = make.make_person(session, distinct_id="mona")
    before = (person.id, person.environment, person.created_at)
    error = told(ask(shop, method, path, {"first_name": "x", name: "test"}), 422)["error"]
    assert (error["code"], error["field"]) == ("invalid_field", name)
    session.expire_all()
    assert (person.id, person.environment, person.created_at) == before
    assert person.first_name == "Ada"


def test_somebody_elses_distinct_id_and_address_are_taken(shop: Shop) -> None:
    told(ask(shop, "POST", "/people", WHOLE), 201)
    for body in ({"distinct_id": "customer-7"}, {"addresses": {"email": "mona@example.org"}}):
        assert told(ask(shop, "POST", "/people", body), 409)["error"]["code"] == "taken"


def test_nobody_of_the_other_environment_is_reached(shop: Shop, session: Session) -> None:
    """B17, B20, B22."""
    person = make.make_person(session, environment="test", distinct_id="mona")
    topic = topics.create(session, "test", "News")
    for method, path, body in (
        ("GET", f"/people/{person.id}", None),
        ("GET", "/people/distinct:mona", None),
        ("PATCH", f"/people/{person.id}", {"enabled": False}),
        ("GET", f"/people/{person.id}/notifications", None),
        ("PATCH", f"/people/{person.id}/preferences", {"channels": {"sms": False}}),
        ("POST", f"/people/{person.id}/consent", {"value": "stop", "words": "no"}),
        ("PATCH", f"/topics/{topic.id}", {"archived": True}),
    ):
        assert ask(shop, method, path, body).status_code == 404, path


def test_a_send_request_needs_a_distinct_id_and_nothing_else(shop: Shop, session: Session) -> None:
    """B4, B5."""
    made = told(ask(shop, "POST", "/people", WHOLE), 201)
    template = make.make_template(session, shop.number.connection)
    body = {
        "to": {"distinct_id": "customer-7"},
        "template": {"name": template.name, "language": "en", "slots": {"body.1": "Mona"}},
    }
    told(shop.post(body), 202)
    message = session.scalars(select(Message)).one()
    assert (message.person_id, message.to_address) == (made["id"], "+201012345678")


def test_a_program_sends_no_marketing_to_who_wants_nothing_by_whatsapp(shop: Shop, session: Session) -> None:
    told(ask(shop, "POST", "/people", WHOLE), 201)
    told(ask(shop, "PATCH", "/people/distinct:customer-7/preferences", {"channels": {"whatsapp": False}}))
    for category, status in (("MARKETING", 409), ("UTILITY", 202)):
        template = make.make_template(session, shop.number.connection, category=category)
        wanted = {"name": template.name, "language": "en", "slots": {"body.1": "Mona"}}
        assert shop.post({"to": {"distinct_id": "customer-7"}, "template": wanted}).status_code == status


def test_notifications_come_a_page_at_a_time_with_figures(shop: Shop, session: Session) -> None:
    person = make.make_person(session, distinct_id="mona")
    for count in range(5):
        make.make_outbound(session, person, shop.number, f"notice {count}", state="accepted", delivery_level=2)
    seen, query = [], "?limit=2"
    while query:
        page = told(ask(shop, "GET", f"/people/distinct:mona/notifications{query}"))
        assert page["statistics"] | {"sent": 5, "delivered": 5, "read": None, "failed": 0} == page["statistics"]
        seen += [each["body"] for each in page["notifications"]]
        query = f"?limit=2&before={page['more']}" if page["more"] else ""
    assert seen == [f"notice {count}" for count in reversed(range(5))]
    for query in ("?limit=101", "?limit=x", "?before=-1", "?limit=0", "?page=2"):
        assert ask(shop, "GET", f"/people/distinct:mona/notifications{query}").status_code == 400


def test_preferences_and_topics_by_a_program(shop: Shop, session: Session) -> None:
    make.make_person(session, distinct_id="mona")
    topic = told(ask(shop, "POST", "/topics", {"name": "News"}), 201)
    wanted = {"channels": {"email": False}, "topics": {"News": {"whatsapp": False}}}
    assert told(ask(shop, "PATCH", "/people/distinct:mona/preferences", wanted)) == wanted
    assert told(ask(shop, "GET", "/people/distinct:mona/preferences")) == wanted
    assert {row.token_id for row in session.scalars(select(Preference))} == {shop.token.id}
    told(ask(shop, "PATCH", f"/topics/{topic['id']}", {"archived": True, "description": "Once a week"}))
    [listed] = told(ask(shop, "GET", "/topics"))["topics"]
    assert (listed["description"], listed["archived_at"] is None) == ("Once a week", False)
    for body, field in (
        ({"channels": {"fax": True}}, "channels.fax"),
        ({"channels": {"email": "no"}}, "channels.email"),
        ({"channels": []}, None),
        ({"topics": {"Nothing": {}}}, "topics"),
        ({"topics": {"News": 1}}, "topics.News"),
        ({"person_id": 7}, "person_id"),
    ):
        answer = ask(shop, "PATCH", "/people/distinct:mona/preferences", body)
        if field is not None:
            assert told(answer, 422)["error"]["field"] == field


def test_consent_by_a_program_keeps_its_evidence(shop: Shop, session: Session) -> None:
    person = make.make_person(session, distinct_id="mona")
    body = {"value": "stop", "words": "On the phone: no more", "occurred_at": "2026-01-31T12:00:00+02:00"}
    [entry] = told(ask(shop, "POST", "/people/distinct:mona/consent", body), 201)["consent"]
    assert (entry["source"], entry["words"], entry["occurred_at"]) == (
        "api",
        "On the phone: no more",
        "2026-01-31T10:00:00+00:00",
    )
    event = session.scalars(select(ConsentEvent)).one()
    session.refresh(person)
    assert (event.token_id, person.marketing_opted_out_at) == (shop.token.id, event.occurred_at)
    wrong: list[dict[str, Any]] = [
        {"value": "perhaps"},
        {"words": " "},
        {"words": "a\x00"},
        {"words": 7},
        {"occurred_at": "2999-01-01T00:00:00Z"},
        {"occurred_at": "2026-01-31"},
        {"operator_id": 1},
    ]
    for change in wrong:
        assert ask(shop, "POST", "/people/distinct:mona/consent", body | change).status_code == 422, change


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"first_name": "\\ud800"}'])
def test_a_body_that_is_none_is_refused_and_changes_nobody(shop: Shop, session: Session, body: bytes) -> None:
    make.make_person(session, distinct_id="mona")
    headers = {"Authorization": f"Bearer {shop.secret}"}
    path = "/api/v1/people/distinct:mona"
    answer = shop.client.patch(path, data=body, content_type="application/json", headers=headers)
    assert answer.status_code in {400, 422}
    assert session.scalars(select(Person.first_name)).one() == "Ada"
