"""POST /api/v1/messages: what is taken, for whom, and what is refused with which remedy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import db, runtime
from bot.models.message import Message
from bot.models.person import Address, Person
from bot.runtime import Runtime
from bot.team import tokens
from tests import factories
from tests.api.conftest import Shop

TO = "+4930901820"


def messages(session: Session) -> list[Message]:
    session.expire_all()
    return list(session.scalars(select(Message).where(Message.direction == "out").order_by(Message.id)))


def test_a_text_to_somebody_who_wrote_today_is_queued_in_the_tokens_name(shop: Shop, session: Session) -> None:
    person = factories.make_person(session, phone=TO)
    factories.make_conversation(session, person, shop.number)
    answer = shop.post({"to": TO, "text": "Your parcel is here"})
    assert answer.status_code == 202, answer.text
    [message] = messages(session)
    assert answer.json is not None
    assert answer.json["id"] == message.id
    assert answer.headers["Location"] == f"/api/v1/messages/{message.id}"
    assert (message.author_kind, message.token_id) == ("api", shop.token.id)
    assert (message.state, message.body, message.to_address) == ("queued", "Your parcel is here", TO)
    assert message.content == {"type": "text", "text": {"body": "Your parcel is here", "preview_url": False}}


def test_the_sender_is_rung_after_the_commit(shop: Shop, rt: Runtime, session: Session) -> None:
    factories.make_conversation(session, factories.make_person(session, phone=TO), shop.number)
    shop.post({"to": TO, "text": "Hello"})
    assert rt.redis.exists("rq:queue:send")


def test_a_distinct_id_is_enough_and_the_address_is_looked_up(shop: Shop, session: Session) -> None:
    person = factories.make_person(session, distinct_id="customer-7")
    factories.make_conversation(session, person, shop.number)
    assert shop.post({"to": {"distinct_id": "customer-7"}, "text": "Hello"}).status_code == 202
    [message] = messages(session)
    assert message.person_id == person.id
    assert message.to_address == session.scalar(select(Address.value).where(Address.person_id == person.id))


def test_somebody_reached_by_user_id_alone_can_be_written_to(shop: Shop, session: Session) -> None:
    person = factories.make_person(session, phone=None, distinct_id="hidden")
    factories.make_address(session, person, "user_id", "US.13491208655302741918")
    factories.make_conversation(session, person, shop.number)
    assert shop.post({"to": {"distinct_id": "hidden"}, "text": "Hello"}).status_code == 202
    assert messages(session)[0].to_address == "US.13491208655302741918"


def test_a_template_reaches_a_stranger_who_becomes_a_person_of_the_tokens_environment(
    shop: Shop, session: Session
) -> None:
    template = factories.make_template(session, shop.number.connection)
    answer = shop.post(
        {"to": "+49 30 901820", "template": {"name": template.name, "language": "en", "slots": {"body.1": "Ada"}}}
    )
    assert answer.status_code == 202, answer.text
    [message] = messages(session)
    person = session.get_one(Person, message.person_id)
    assert (person.environment, message.to_address, message.body) == ("live", TO, "Hello Ada")
    assert message.content == {
        "type": "template",
        "template": {
            "name": template.name,
            "language": {"code": "en"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}],
        },
    }


@pytest.mark.parametrize("text", ["<<user.phone_no>>", "{{user.email}}", "a << b", "<<"])
def test_a_programs_text_is_sent_as_it_stands(shop: Shop, session: Session, text: str) -> None:
    template = factories.make_template(session, shop.number.connection)
    factories.make_conversation(session, factories.make_person(session, phone=TO), shop.number)
    slots = {"name": template.name, "language": "en", "slots": {"body.1": text}}
    assert shop.post({"to": TO, "template": slots}).status_code == 202
    assert shop.post({"to": TO, "text": text}).status_code == 202
    assert [message.body for message in messages(session)] == [f"Hello {text}", text]


def test_free_text_outside_the_24_hours_is_refused_and_names_the_remedy(shop: Shop, session: Session) -> None:
    person = factories.make_person(session, phone=TO)
    long_ago = datetime.now(UTC) - timedelta(hours=24, seconds=1)
    factories.make_conversation(session, person, shop.number, last_inbound_at=long_ago)
    answer = shop.post({"to": TO, "text": "Hello"})
    assert (answer.status_code, code(answer)) == (409, "window_closed")
    assert "send an approved template" in answer.text
    assert messages(session) == []


def test_a_refused_text_to_a_stranger_leaves_no_person_behind(shop: Shop, session: Session) -> None:
    before = session.scalar(select(func.count(Person.id)))
    assert shop.post({"to": TO, "text": "Hello"}).status_code == 409
    assert session.scalar(select(func.count(Person.id))) == before


def test_somebody_switched_off_is_not_written_to(shop: Shop, session: Session) -> None:
    person = factories.make_person(session, phone=TO, enabled=False)
    factories.make_conversation(session, person, shop.number)
    answer = shop.post({"to": TO, "text": "Hello"})
    assert (answer.status_code, code(answer)) == (409, "person_disabled")
    assert messages(session) == []


def test_a_token_reaches_its_own_environment_alone(shop: Shop, session: Session) -> None:
    test_number = factories.make_number(session, environment="test")
    person = factories.make_person(session, distinct_id="tester", environment="test")
    factories.make_conversation(session, person, test_number)
    assert code(shop.post({"to": {"distinct_id": "tester"}, "text": "Hello"})) == "unknown_person"
    answer = shop.post({"number": test_number.phone, "to": TO, "text": "Hello"})
    assert (answer.status_code, code(answer)) == (422, "unknown_number")


def test_with_several_numbers_one_must_be_named(shop: Shop, session: Session) -> None:
    second = factories.make_number(session)
    factories.make_conversation(session, factories.make_person(session, phone=TO), second)
    answer = shop.post({"to": TO, "text": "Hello"})
    assert code(answer) == "unknown_number"
    assert second.phone in answer.text
    for named in (second.phone, second.id, str(second.id)):
        assert shop.post({"number": named, "to": TO, "text": "Hello"}).status_code == 202


@pytest.mark.parametrize(
    "change, status_code, expected, said",
    [
        ({"name": "unheard_of"}, 422, "unknown_template", "backchat template list"),
        ({"language": "de"}, 422, "unknown_template", "backchat template list"),
        ({"slots": {}}, 422, "bad_slots", "body.1"),
        ({"slots": {"body.1": "Ada", "body.2": "x"}}, 422, "bad_slots", "body.2"),
        ({"slots": {"body.1": "x" * 2000}}, 422, "bad_slots", "Shorten it"),
        ({"slots": {"body.1": 7}}, 422, "invalid_field", "template.slots.body.1 must be a text"),
        ({"colour": "red"}, 422, "invalid_field", "no field 'colour' in template"),
    ],
)
def test_a_template_that_would_be_refused_is_refused_here(
    shop: Shop, session: Session, change: dict[str, object], status_code: int, expected: str, said: str
) -> None:
    template = factories.make_template(session, shop.number.connection)
    asked = {"name": template.name, "language": "en", "slots": {"body.1": "Ada"}} | change
    answer = shop.post({"to": TO, "template": asked})
    assert (answer.status_code, code(answer)) == (status_code, expected)
    assert said in answer.text


def test_a_template_that_is_not_approved_is_refused(shop: Shop, session: Session) -> None:
    template = factories.make_template(session, shop.number.connection, status="PAUSED")
    asked = {"name": template.name, "language": "en", "slots": {"body.1": "Ada"}}
    answer = shop.post({"to": TO, "template": asked})
    assert (answer.status_code, code(answer)) == (409, "template_not_approved")


@pytest.mark.parametrize(
    "body, expected, field",
    [
        ([], "invalid_body", None),
        ({"text": "x"}, "invalid_field", "to"),
        ({"to": TO}, "invalid_field", "text"),
        ({"to": TO, "text": "x", "template": {}}, "invalid_field", "text"),
        ({"to": TO, "text": "x", "colour": 1}, "invalid_field", "colour"),
        ({"to": {"distinct_id": "a", "phone": "b"}, "text": "x"}, "invalid_field", "to.phone"),
        ({"to": {}, "text": "x"}, "invalid_field", "to.distinct_id"),
        ({"to": 49, "text": "x"}, "invalid_field", "to"),
        ({"to": TO, "text": 7}, "invalid_field", "text"),
        ({"to": TO, "text": " \n"}, "invalid_field", "text"),
        ({"to": TO, "text": "x" * 4097}, "invalid_field", "text"),
        ({"to": TO, "text": "a\x00b"}, "invalid_field", "text"),
        ({"to": TO, "template": "hello"}, "invalid_field", "template"),
        ({"number": True, "to": TO, "text": "x"}, "invalid_field", "number"),
        ({"to": "030 901820", "text": "x"}, "bad_phone", "to"),
        ({"to": "+49 30 letters", "text": "x"}, "bad_phone", "to"),
        ({"to": {"distinct_id": "nobody"}, "text": "x"}, "unknown_person", "to.distinct_id"),
    ],
)
def test_a_wrong_field_is_named(shop: Shop, body: object, expected: str, field: str | None) -> None:
    answer = shop.post(body)
    assert answer.json is not None
    assert (answer.status_code, code(answer), answer.json["error"].get("field")) == (422, expected, field)


def test_somebody_without_a_whatsapp_address_is_named_as_such(shop: Shop, session: Session) -> None:
    person = factories.make_person(session, phone=None, distinct_id="by-mail")
    factories.make_address(session, person, "email", "ada@example.org")
    answer = shop.post({"to": {"distinct_id": "by-mail"}, "text": "x"})
    assert (answer.status_code, code(answer)) == (422, "no_address")


def test_the_secret_opens_the_door_until_it_is_revoked(shop: Shop, session: Session) -> None:
    url = "/api/v1/messages/1"
    for headers in ({}, {"Authorization": "Bearer bc_live_no"}, {"Authorization": f"Basic {shop.secret}"}):
        answer = shop.client.get(url, headers=headers)
        assert (answer.status_code, code(answer)) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert shop.get(url).status_code == 404
    tokens.revoke(session, "live", "shop")
    session.flush()
    assert shop.get(url).status_code == 401


@pytest.mark.parametrize("name", ["token", "access_token", "q"])
def test_a_token_in_the_address_is_refused_though_it_is_right(shop: Shop, name: str) -> None:
    headers = {"Authorization": f"Bearer {shop.secret}"}
    answer = shop.client.get("/api/v1/messages/1", query_string={name: shop.secret}, headers=headers)
    assert (answer.status_code, code(answer)) == (400, "token_in_address")
    assert shop.secret not in answer.text


def test_every_refusal_is_json_whoever_made_it(shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {shop.secret}"}
    url = "/api/v1/messages"
    answers = [
        (404, "not_found", shop.get("/api/v1/unheard-of")),
        (405, "method_not_allowed", shop.client.delete(url, headers=headers)),
        (404, "unknown_message", shop.get(f"{url}/{10**30}")),
        (415, "unsupported_media_type", shop.client.post(url, data="to=1", headers=headers)),
        (400, "bad_json", shop.client.post(url, data="{", content_type="application/json", headers=headers)),
        (400, "bad_json", shop.client.post(url, data=b'"\xff"', content_type="application/json", headers=headers)),
        (400, "bad_json", shop.client.post(url, data='"\\ud800"', content_type="application/json", headers=headers)),
        (400, "bad_json", shop.client.post(url, data="[" * 60_000, content_type="application/json", headers=headers)),
        (413, "too_large", shop.client.post(url, data=b" " * 65_537, content_type="application/json", headers=headers)),
        (400, "unexpected_query", shop.client.get(f"{url}/1?page=2", headers=headers)),
    ]
    for status_code, expected, answer in answers:
        assert (answer.status_code, answer.mimetype, code(answer)) == (status_code, "application/json", expected)
    assert set(answers[1][2].headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def code(answer: object) -> str:
    told = getattr(answer, "json", None)
    assert isinstance(told, dict), getattr(answer, "text", "")
    return str(told["error"]["code"])


def test_while_the_database_is_away_programs_are_told_to_try_again(shop: Shop, rt: Runtime) -> None:
    away = db.make_engine("postgresql+psycopg://nobody@127.0.0.1:1/nowhere", name="tests")
    runtime.use(replace(rt, engine=away, sessions=db.make_sessions(away)))
    answer = shop.post({"to": TO, "text": "Hello"}, key="order-7")
    assert (answer.status_code, code(answer), answer.headers["Retry-After"]) == (503, "unavailable", "5")
    assert "127.0.0.1" not in answer.text


@pytest.mark.parametrize("category, expected", [("MARKETING", 409), ("UTILITY", 202)])
def test_somebody_who_wants_no_marketing_gets_none(shop: Shop, session: Session, category: str, expected: int) -> None:
    factories.make_person(session, phone=TO, marketing_opted_out_at=datetime.now(UTC))
    template = factories.make_template(session, shop.number.connection, category=category)
    asked = {"name": template.name, "language": "en", "slots": {"body.1": "Ada"}}
    assert shop.post({"to": TO, "template": asked}).status_code == expected
