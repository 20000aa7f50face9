"""Every door there is, tried by somebody who may do everything but see contact: none lets a known number out."""

import json
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from bot.dashboard.masks import PUSHED
from bot.models.connection import Number
from bot.models.person import Person
from bot.models.team import Operator
from bot.models.webhook import WebhookEvent
from bot.models.words import AddressKind, Role
from bot.people.finding import Asked, Finder
from bot.team import audit, operators, permission_sets, permissions, tokens
from bot.team.audit import COMMAND, Action
from bot.team.masking import masked
from bot.team.rights import Permission
from bot.team.routes import ROUTES, WITH_CONTACT, Scope
from tests import factories as make
from tests.dashboard.profile import accepted
from tests.dashboard.visitor import Visitor

PHONE, EMAIL = "+4930901842", "ada.lovelace@example.org"
SPELLED = (
    *(PHONE, "4930901842", "030 901842", "(030) 90-18 42", "0049 30 901842", "49 30 901842", "+49\u00a030\u2011901842"),
    *("030/901842", "%2B4930901842", "wa.me/4930901842", "ada.lovelace%40example.org", EMAIL.upper(), "00493090 1842"),
)


@pytest.fixture
def doors(session: Session, number: Number) -> dict[str, object]:
    """Somebody whose contact stands wherever it can: column, name, texts, ids, the log; and the ids of it all."""
    number.phone = "+493012345678"
    person = make.make_person(session, phone=PHONE, first_name=None, distinct_id=PHONE)
    person.attributes = {"second": SPELLED[2]}
    make.make_address(session, person, AddressKind.EMAIL, EMAIL)
    conversation = make.make_conversation(session, person, number)
    for spelled in SPELLED:
        make.make_inbound(session, person, number, f"Call me: {spelled}, or not")
        make.make_inbound(session, person, number, spelled)
    segment = make.make_segment(session, [person], name=f"Friends of {PHONE}")
    template = make.make_template(session, number.connection)
    broadcast = make.make_broadcast(session, number, segment, template)
    message = accepted(session, person, number, 3, f"We call {PHONE}", to_address=PHONE)
    sent = {"to_address": PHONE, "broadcast_id": broadcast.id, "author_kind": "broadcast"}
    accepted(session, person, number, 3, "We will", **sent)
    event = WebhookEvent(connection_id=number.connection_id, body=json.dumps({"wa_id": PHONE[1:]}).encode())
    session.add(event)
    audit.note(session, COMMAND, Action.SET_MADE, "permission set 1", before={"name": PHONE}, after={"name": EMAIL})
    session.commit()
    return {
        "person_id": person.id,
        "conversation_id": conversation.id,
        "segment_id": segment.id,
        "who": person.id,
        "template_id": template.id,
        "broadcast_id": broadcast.id,
        "message_id": message.id,
        "event_id": event.id,
        "slug": number.connection.slug,
    }


@pytest.fixture
def blind(app: Flask, session: Session) -> Visitor:
    """May do everything but see contact."""
    seen = set(Permission) - {Permission.PEOPLE_SEE_CONTACT}
    permission_sets.add(session, "Blind", seen)
    operator: Operator = make.make_operator(session, Role.VIEWER)
    operators.set_role(session, operator.id, "Blind")
    session.commit()
    return Visitor(app.test_client()).sign_in(operator)


def addresses(app: Flask, ids: dict[str, object], *, machines: bool) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and isinstance(ROUTES[rule.endpoint], Scope) is machines:
            values = {name: ids.get(name, 1) for name in rule.arguments}
            with app.test_request_context():
                built = rule.build(values)
            assert built, rule
            yield rule, built[1]


def leaks(text: str) -> list[str]:
    """What is left of the number's own digits, however they are written, and of the address."""
    digits = r"[^0-9A-Za-z]{0,9}".join("901842")
    return re.findall(rf".{{0,20}}{digits}.{{0,9}}|lovelace.{{0,20}}", text, re.IGNORECASE)


def test_no_page_and_no_file_lets_it_out(app: Flask, blind: Visitor, doors: dict[str, object]) -> None:
    found, answered, refused = {}, set(), set()
    for rule, address in addresses(app, doors, machines=False):
        if rule.endpoint in {"static", "bootstrap.static"}:
            continue
        answer = blind.client.get(address)
        if answer.mimetype == PUSHED:  # goes on until the page is left; what it sends passes the same function
            answer.close()
            continue
        if left := leaks(answer.get_data(as_text=True)):
            found[rule.endpoint] = left
        if answer.status_code == 200:
            answered.add(rule.endpoint)
        elif answer.status_code == 403:
            refused.add(rule.endpoint)
    assert found == {}
    assert {each for each in WITH_CONTACT if not isinstance(ROUTES[each], Scope)} <= refused
    shown = {"people.show", "inbox.thread", "inbox.rows", "logs.export", "listing.export", "recipients.index"}
    assert shown | {"audit.index", "audit.export", "events.show", "notifications.show", "segments.download"} <= answered


def test_no_answer_to_a_program_lets_it_out(app: Flask, doors: dict[str, object], session: Session) -> None:
    scopes = set(permissions.SCOPES) - {Permission.PEOPLE_SEE_CONTACT}
    _, secret = tokens.create(session, "live", "blind", scopes=scopes)
    session.commit()
    found, answered, refused = {}, set(), set()
    for rule, address in addresses(app, doors, machines=True):
        answer = app.test_client().get(address, headers={"Authorization": f"Bearer {secret}"})
        said = answer.get_data(as_text=True)
        if left := leaks(said + json.dumps(answer.get_json(silent=True), ensure_ascii=False)):
            found[rule.endpoint] = left
        if answer.status_code == 200:
            answered.add(rule.endpoint)
        elif answer.status_code == 403:
            refused.add(rule.endpoint)
            assert "people.see_contact" in said
    assert found == {}
    assert {each for each in WITH_CONTACT if isinstance(ROUTES[each], Scope)} <= refused
    assert {"profiles_api.show", "listing_api.people", "log_api.logs", "segments_api.members"} <= answered


def test_who_may_not_see_a_number_does_not_find_it_out_digit_by_digit(
    app: Flask, blind: Visitor, coach: Visitor, doors: dict[str, object]
) -> None:
    here = f"/people/{doors['person_id']}"
    for typed in ("%2B4930901842", "030901842", "4930901842", EMAIL, str(doors["person_id"])):
        assert here in blind.get(f"/people?search={typed}").text, typed
    for typed in ("%2B49309", "030901", "493090184", "ada.lovel", "%2B4930901842x"):
        assert here not in blind.get(f"/people?search={typed}").text, typed
        assert "Call me" not in blind.get(f"/inbox/search?q={typed}").text, typed
        assert "… 42" not in blind.get(f"/people.csv?search={typed}").get_data(as_text=True), typed
        assert "We call" not in blind.get(f"/logs?person={typed}").text, typed
    assert here in coach.get("/people?search=%2B49309").text
    assert "Call me" in coach.get("/inbox/search?q=493090184").text


def test_searching_outside_a_request_asks_nobody(session: Session, doors: dict[str, object]) -> None:
    assert Finder(session, Asked("live", "+49309")).page().ids == [doors["person_id"]]


def test_what_is_shown_shortened_cannot_be_saved_in_the_place_of_contact(
    blind: Visitor, doors: dict[str, object], session: Session
) -> None:
    blind.get(f"/people/{doors['person_id']}")
    refused = blind.post(f"/people/{doors['person_id']}", {"first_name": "+49 … 42"})
    assert refused.status_code == 422
    assert "saved, it would be lost" in refused.text
    person = session.get_one(Person, doors["person_id"])
    session.refresh(person)
    assert person.first_name is None


@pytest.mark.parametrize(
    "text, shown",
    [
        ("Anruf unter 030 901842!", "Anruf unter 03 … 42!"),
        ("(0151) 2345 6789", "01 … 89"),
        ("00 49 30 901842", "00 … 42"),
        ("415-555-0100", "41 … 00"),
        ("(555) 123-4567, (555)1234567", "55 … 67, 55 … 67"),
        ("555-123-4567 or 555.123.4567", "55 … 67 or 55 … 67"),
        ("1 (555) 123\u20134567", "15 … 67"),
        ("1-555-123-4567", "15 … 67"),
        ("+ 49 30 / 90 18 42", "+49 … 42"),
        ("\uff0b4930901842", "+49 … 42"),
        ("+٤٩٣٠٩٠١٨٤٢", "+49 … 42"),
        ("write to +493090…", "write to +49 …"),
        ("07.11.2026, 08:30", "07.11.2026, 08:30"),
        ("2026-11-07 08:30:00.012345", "2026-11-07 08:30:00.012345"),
        ("0.12345678 of 1,234,567", "0.12345678 of 1,234,567"),
        ("123-456-7890 and 1555-123-4567", "123-456-7890 and 1555-123-4567"),
        ("200 100 300 400 and 2026-11-07", "200 100 300 400 and 2026-11-07"),
        ('{"user_id": "0012345678"}', '{"user_id": "0012345678"}'),
        ("0abc1234567 and #0123456", "0abc1234567 and #0123456"),
    ],
)
def test_numbers_are_told_from_dates_amounts_and_ids(text: str, shown: str) -> None:
    assert masked(text) == shown
