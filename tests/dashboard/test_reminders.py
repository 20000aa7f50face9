from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.journey import Reminder
from bot.models.person import Person
from bot.models.words import Environment, ReminderState
from tests.dashboard.visitor import Visitor
from tests.factories import make_number, make_person, make_segment

TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M}"


@pytest.fixture
def number(session: Session) -> Number:
    return make_number(session)


@pytest.fixture
def ada(session: Session, number: Number) -> Person:
    person = make_person(session, distinct_id="ada-1", phone="+201012345678", last_name="Lovelace")
    session.commit()
    return person


def form(sender: Number, **more: object) -> dict[str, object]:
    given = {"name": "Bring the card", "due_at": TOMORROW, "number": sender.id, "text": "Hi <<user.first_name>>!"}
    return {**given, **more}


@pytest.mark.parametrize("known_as", ["ada-1", "+20 101 234 5678"])
def test_a_reminder_is_set_for_a_person_and_taken_back(
    admin: Visitor, session: Session, number: Number, ada: Person, known_as: str
) -> None:
    assert admin.post("/reminders", form(number, person=known_as)).status_code == 303
    reminder = session.scalars(select(Reminder)).one()
    assert (reminder.person_id, reminder.state) == (ada.id, ReminderState.SCHEDULED)
    assert f"{reminder.due_at:%Y-%m-%dT%H:%M}" == TOMORROW
    page = admin.get("/reminders").text
    assert "Bring the card" in page
    assert "Ada Lovelace" in page
    assert admin.post(f"/reminders/{reminder.id}/cancel").status_code == 303
    session.refresh(reminder)
    assert reminder.state == ReminderState.CANCELLED
    admin.post(f"/reminders/{reminder.id}/cancel")
    assert "Too late" in admin.get("/reminders").text


def test_a_reminder_is_set_for_a_segment(admin: Visitor, session: Session, number: Number, ada: Person) -> None:
    segment = make_segment(session, [ada], name="Autumn")
    session.commit()
    admin.post("/reminders", form(number, segment=segment.id))
    assert session.scalars(select(Reminder.segment_id)).one() == segment.id
    assert "segment Autumn" in admin.get("/reminders").text


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"person": "nobody"}, "Nobody is known as nobody"),
        ({"person": ""}, "one person or one segment"),
        ({"person": "ada-1", "due_at": ""}, "Say when"),
        ({"person": "ada-1", "due_at": "2020-01-01T09:00"}, "past"),
        ({"person": "ada-1", "number": "999999"}, "Choose the number"),
        ({"person": "ada-1", "text": "<<user.__class__>>"}, "user.__class__"),
        ({"person": "ada-1", "text": " "}, "blank"),
        ({"person": "ada-1", "name": ""}, "no name"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(
    admin: Visitor, session: Session, number: Number, ada: Person, change: dict[str, object], complaint: str
) -> None:
    answer = admin.post("/reminders", form(number, **change))
    assert answer.status_code == 422
    assert complaint in answer.text
    assert session.scalars(select(Reminder)).all() == []


def test_a_value_no_column_can_hold_is_refused_and_not_an_error_of_ours(
    admin: Visitor, number: Number, ada: Person
) -> None:
    assert admin.post("/reminders", form(number, person="ada-1", name="a\x00b")).status_code == 400
    assert admin.post("/reminders", form(number, number=10**30, person="ada-1")).status_code == 400


def test_a_number_of_the_other_environment_cannot_be_used(admin: Visitor, session: Session, ada: Person) -> None:
    other = make_number(session, environment=Environment.TEST)
    session.commit()
    assert "Choose the number" in admin.post("/reminders", form(other, person="ada-1")).text
