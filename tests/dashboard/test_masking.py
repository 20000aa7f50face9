"""Phone numbers and e-mail addresses for somebody who may not see them: on every page, in files and in the API."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.person import Person
from bot.models.words import AddressKind, Role
from bot.team import permissions, tokens
from bot.team.audit import Action
from bot.team.masking import masked
from tests import factories as make
from tests.dashboard.audited import entries
from tests.dashboard.profile import accepted
from tests.dashboard.test_pages import linked
from tests.dashboard.visitor import Visitor

PHONE, EMAIL = "+4930901842", "ada.lovelace@example.org"


@pytest.fixture
def nameless(session: Session, number: Number) -> Person:
    """Pages call somebody without a name by their number, and what was written holds it too."""
    person = make.make_person(session, phone=PHONE, first_name=None)
    make.make_address(session, person, AddressKind.EMAIL, EMAIL)
    make.make_conversation(session, person, number)
    make.make_inbound(session, person, number, f"Call me at {PHONE} or write to {EMAIL}")
    accepted(session, person, number, 3, "We will").to_address = PHONE
    make.make_segment(session, [person], name="Spring course")
    session.commit()
    return person


@pytest.fixture
def viewer(signed_in: Callable[[Role], Visitor]) -> Visitor:
    return signed_in(Role.VIEWER)


@pytest.mark.parametrize(
    "text, shown",
    [
        (f"{PHONE},{EMAIL}", "+49 … 42,a…@….org"),
        ("+49 (30) 90-18 42!", "+49 … 42!"),
        ("?person=%2B4930901842&x=1", "?person=+49 … 42&x=1"),
        ("1+2345 and a@b", "1+2345 and a@b"),
        ("+4930901842000000000", "+4930901842000000000"),
        ("kept: +15550001", "kept: +15550001"),
    ],
)
def test_enough_is_left_to_tell_two_apart(text: str, shown: str) -> None:
    assert masked(text, {"+15550001"}) == shown


def test_no_page_and_no_file_shows_a_viewer_somebody_s_contact(viewer: Visitor, nameless: Person) -> None:
    seen = {address: page.text for address, page in linked(viewer)}
    seen |= {file: viewer.get(file).text for file in ("/logs.csv", "/reminders.csv")}
    assert len(seen) > 20
    assert [address for address, page in seen.items() if PHONE in page or EMAIL in page] == []
    assert "+49 … 42" in viewer.get("/people").text
    assert "+49 … 42" in seen["/logs.csv"]


def test_others_see_it_and_the_team_s_own_numbers_are_nobody_s_secret(
    coach: Visitor, viewer: Visitor, nameless: Person, number: Number
) -> None:
    assert PHONE in coach.get(f"/people/{nameless.id}").text
    assert masked(number.phone) != number.phone
    assert "@example.org" in viewer.get("/account").text, "one's own e-mail"


def test_a_reason_shows_one_person_s_contact_once_and_is_written_down(
    viewer: Visitor, nameless: Person, session: Session
) -> None:
    path = f"/people/{nameless.id}/contact"
    assert viewer.get(path).status_code == 200
    refused = viewer.post(path, {"reason": "because"})
    assert refused.status_code == 422
    assert PHONE not in refused.text
    assert entries(session) == []
    shown = viewer.post(path, {"reason": "call"}).text
    assert PHONE in shown
    assert EMAIL in shown
    assert PHONE not in viewer.get(f"/people/{nameless.id}").text
    (entry,) = entries(session)
    assert (entry.action, entry.subject) == (Action.CONTACT_SHOWN, f"person {nameless.id}")
    assert PHONE not in str(entry.after)


def test_a_token_without_the_scope_is_told_masked_contact(app: Flask, nameless: Person, session: Session) -> None:
    told = {}
    for name, scopes in (("whole", None), ("blind", set(permissions.SCOPES) - {"people.see_contact"})):
        _, secret = tokens.create(session, "live", name, scopes=scopes)
        session.commit()
        headers = {"Authorization": f"Bearer {secret}"}
        paths = ("/api/v1/people", f"/api/v1/people/{nameless.distinct_id}", "/api/v1/logs")
        told[name] = "".join(app.test_client().get(path, headers=headers).text for path in paths)
    assert PHONE in told["whole"]
    assert EMAIL in told["whole"]
    assert PHONE not in told["blind"]
    assert EMAIL not in told["blind"]
    assert "\\u2026 42" in told["blind"] or "… 42" in told["blind"]
