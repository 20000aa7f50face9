"""A person's page: names, attributes, addresses and the switch are changed by any role."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.person import Address, Person, Property
from bot.models.words import Role
from tests import factories as make
from tests.dashboard.profile import fresh, post
from tests.dashboard.visitor import Visitor


@pytest.mark.parametrize("role", Role)
def test_every_role_but_the_viewer_edits_a_profile(
    signed_in: Callable[[Role], Visitor], session: Session, ada: Person, role: Role
) -> None:
    session.commit()
    form = {"was.first_name": "Ada", "first_name": "Augusta", "was.country": "", "country": "gb"}
    may = role is not Role.VIEWER
    assert post(signed_in(role), ada, **form).status_code == (303 if may else 403)
    written = ("Augusta", "Lovelace", "GB") if may else ("Ada", "Lovelace", None)
    assert (fresh(session, ada).first_name, ada.last_name, ada.country) == written


def test_only_what_was_touched_is_changed(coach: Visitor, session: Session, ada: Person) -> None:
    """Two people with the same page open: the later one does not undo what the first one wrote elsewhere."""
    session.commit()
    shown = {"was.first_name": "Ada", "first_name": "Ada", "was.nickname": "", "nickname": "Countess"}
    ada.first_name = "Augusta"
    session.commit()
    post(coach, ada, **shown)
    assert (fresh(session, ada).first_name, ada.nickname) == ("Augusta", "Countess")


def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(
    coach: Visitor, session: Session, ada: Person
) -> None:
    session.commit()
    form = {"was.country": "", "country": "Egypt", "was.nickname": "", "nickname": "Countess"}
    answer = post(coach, ada, **form)
    assert answer.status_code == 422
    assert "Egypt is not a country code" in answer.text
    assert 'value="Countess"' in answer.text
    assert fresh(session, ada).nickname is None


def test_nothing_of_ours_can_be_set_by_a_form(coach: Visitor, session: Session, ada: Person) -> None:
    """Case 123, B22."""
    session.commit()
    before = {name: getattr(ada, name) for name in ("id", "environment", "created_at", "enabled")}
    form = {f"was.{name}": "x" for name in before} | {
        "id": "9",
        "environment": "test",
        "created_at": "2020",
        "enabled": "no",
    }
    assert post(coach, ada, **form).status_code == 303
    assert {name: getattr(fresh(session, ada), name) for name in before} == before


def test_one_control_switches_everything_off_and_on(coach: Visitor, session: Session, ada: Person) -> None:
    """B6; that every way out obeys it, tests/people/test_preferences.py shows."""
    session.commit()
    post(coach, ada, "/switch", enabled="no")
    assert not fresh(session, ada).enabled
    assert "Disabled: nothing is sent" in coach.get(f"/people/{ada.id}").text
    post(coach, ada, "/switch", enabled="yes")
    assert fresh(session, ada).enabled


TYPED = [
    ("TEXT", "Algebra", "Algebra"),
    ("NUMBER", "12.5", 12.5),
    ("DATE", "2026-01-31", "2026-01-31"),
    ("TIME", "14:30", "14:30:00"),
    ("DATETIME", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
    ("BOOLEAN", "true", True),
    ("ARRAY", '["red",3]', ["red", 3]),
    ("OBJECT", '{"floor":3}', {"floor": 3}),
    ("LOCATION", "30.04, 31.23", {"latitude": 30.04, "longitude": 31.23}),
]


@pytest.mark.parametrize("kind, text, value", TYPED)
def test_an_attribute_of_each_type_is_added_shown_and_saved_as_it_is(
    coach: Visitor, session: Session, ada: Person, kind: str, text: str, value: Any
) -> None:
    """B12, with what its editor shows sent back as a browser does it."""
    session.commit()
    assert post(coach, ada, "/attributes/new", name="thing", type=kind, value=text).status_code == 303
    assert fresh(session, ada).attributes == {"thing": value}
    assert session.scalars(select(Property.type)).one() == kind
    page = coach.get(f"/people/{ada.id}").text
    assert 'name="value.thing"' in page
    post(coach, ada, "/attributes", **{"was.thing": "something else", "value.thing": text})
    assert fresh(session, ada).attributes == {"thing": value}
    post(coach, ada, "/attributes", **{"was.thing": text, "value.thing": ""})
    assert fresh(session, ada).attributes == {}


def test_an_attribute_that_does_not_fit_its_type_is_refused(coach: Visitor, session: Session, rich: Person) -> None:
    refused = {
        "/attributes": {"was.grade": "7", "value.grade": "seven"},
        "/attributes/new": {"name": "grade", "type": "TEXT", "value": "seven"},
    }
    for where, form in refused.items():
        answer = post(coach, rich, where, **form)
        assert answer.status_code == 422
        assert "NUMBER" in answer.text
    nameless = post(coach, rich, "/attributes/new", name="", type="NOTHING", value="")
    assert "Give the attribute a name" in nameless.text
    assert fresh(session, rich).attributes["grade"] == 7


def test_addresses_of_every_channel_are_added_and_taken_away(coach: Visitor, session: Session, ada: Person) -> None:
    other = make.make_person(session, phone="+4930901820")
    session.commit()
    assert post(coach, ada, "/addresses", kind="slack", address="U024BE7LH").status_code == 303
    answer = post(coach, ada, "/addresses", kind="phone", address="+49 30 901820")
    assert answer.status_code == 409
    assert f"/people/{other.id}" in answer.text
    assert post(coach, ada, "/addresses", kind="fax", address="1").status_code == 422
    assert post(coach, ada, "/addresses", kind="email", address=" ").status_code == 422
    kept = session.scalars(select(Address).where(Address.person_id == ada.id, Address.kind == "slack")).one()
    assert post(coach, other, f"/addresses/{kept.id}/remove").status_code == 303  # not theirs: nothing happens
    post(coach, ada, f"/addresses/{kept.id}/remove")
    assert session.scalars(select(Address.kind).where(Address.person_id == ada.id)).all() == ["phone"]
