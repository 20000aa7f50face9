"""The Why page answers for a broadcast, a message and a day, and never about somebody else's."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.message import Message
from bot.models.person import Person
from tests import factories as make
from tests.dashboard.visitor import Visitor


@pytest.fixture
def message(session: Session, number: Number, ada: Person) -> Message:
    """Refused by the provider."""
    columns: dict[str, Any] = {"state": "failed", "error_code": 131026, "error_text": "not on WhatsApp", "attempt": 1}
    now = datetime.now(UTC)
    return make.make_outbound(session, ada, number, wire_at=now, failed_at=now, **columns)


def test_it_says_where_it_ended_why_and_what_to_do(
    session: Session, admin: Visitor, ada: Person, message: Message
) -> None:
    session.commit()
    for query in (f"?message={message.id}", ""):
        page = admin.get(f"/people/{ada.id}/why{query}").text
        assert "The provider refused it: not on WhatsApp (error 131026)." in page
        assert "Stopped here" in page
        assert "Ask the person" in page
        assert f"message {message.id}" in page
        assert "Not delivered" in page


def test_for_a_broadcast_that_passed_them_by(session: Session, admin: Visitor, number: Number, ada: Person) -> None:
    template = make.make_template(session, number.connection)
    broadcast = make.make_broadcast(
        session, number, make.make_segment(session, name="others"), template, state="finished",
        launched_at=datetime.now(UTC),
    )  # fmt: skip
    session.commit()
    page = admin.get(f"/people/{ada.id}/why?broadcast={broadcast.id}").text
    assert "Nothing was ever planned for them. They are not in “others”" in page
    assert "Not reached" in page
    assert "Sent that day, but not to them" in admin.get(f"/people/{ada.id}/why").text


@pytest.mark.parametrize("day", ["", "2020-02-30", "x", "0001-01-01", "9999-12-31", "2020-01-01"])
def test_a_day_without_anything_leads_to_the_next_with_something(
    session: Session, admin: Visitor, ada: Person, message: Message, day: str
) -> None:
    session.commit()
    page = admin.get(f"/people/{ada.id}/why?day={day}")
    assert page.status_code == 200
    if day == "2020-01-01":
        assert "Nothing was ever planned for them on this day" in page.text
        assert f"day={datetime.now(UTC):%Y-%m-%d}" in page.text


def test_what_is_not_theirs_is_not_found(session: Session, admin: Visitor, ada: Person, number: Number) -> None:
    foreign = make.make_outbound(session, make.make_person(session), number)
    session.commit()
    for address in (
        f"/people/{ada.id}/why?message={foreign.id}",
        f"/people/{ada.id}/why?broadcast=987654321",
        "/people/987654321/why",
    ):
        assert admin.get(address).status_code == 404, address
