"""The listing and the Properties List, as people use them."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember
from bot.models.words import Environment, PropertyType, Role
from bot.people import finding, properties
from tests.dashboard.visitor import Visitor
from tests.factories import make_person, make_segment


def names(page: str) -> list[str]:
    return re.findall(r'aria-label="Tick ([^"]+)"\s*>\s*</td>', page)


def test_the_listing_has_everybody_of_its_environment_with_the_chosen_columns(
    admin: Visitor, session: Session, ada: Person
) -> None:
    properties.declare(session, "live", {"plan": PropertyType.TEXT})
    make_person(session, first_name="Mona", last_name=None, attributes={"plan": "gold"}, enabled=False)
    make_person(session, first_name="Tess", environment=Environment.TEST)
    session.commit()
    page = admin.get("/people").text
    assert names(page) == ["Mona", "Ada Lovelace"]
    assert "gold" in page
    assert "Timezone" not in page
    assert names(admin.get("/people?environment=test").text) == ["Tess"]
    assert names(admin.get("/people?search=ada").text) == ["Ada Lovelace"]
    assert names(admin.get("/people?status=disabled").text) == ["Mona"]
    assert names(admin.get("/people?sort=display_name").text) == ["Ada Lovelace", "Mona"]
    admin.post("/people/properties/show", {"name": "plan", "shown": "no"})
    admin.post("/people/properties/show", {"name": "time_zone", "shown": "yes"})
    page = admin.get("/people").text
    assert "gold" not in page
    assert "Timezone" in page


def test_pages_lead_to_each_other(admin: Visitor, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in range(finding.PAGE + 5):
        make_person(session, first_name=f"P{place:03}", last_name=None)
    session.commit()
    first = admin.get("/people?sort=display_name").text
    link = re.search(r'href="([^"]+)"\s+rel="next"', first)
    assert link
    second = admin.get(link[1].replace("&amp;", "&")).text
    assert names(first) + names(second) == [f"P{place:03}" for place in range(finding.PAGE + 5)]
    link = re.search(r'href="([^"]+)"\s+rel="prev"', second)
    assert link
    assert names(admin.get(link[1].replace("&amp;", "&")).text) == names(first)


@pytest.mark.parametrize(
    "query", ["sort=nobody", "status=maybe", "country=Egypt", "segment=x", "segment=99999", "import=1", "after=9" * 5]
)
def test_a_question_that_cannot_be_asked_is_answered_with_a_sentence(admin: Visitor, ada: Person, query: str) -> None:
    page = admin.get(f"/people?{query}")
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert "Ada Lovelace" not in page.text


def test_people_are_picked_into_a_segment(admin: Visitor, session: Session, ada: Person) -> None:
    mona, tess = make_person(session, first_name="Mona"), make_person(session, environment=Environment.TEST)
    session.commit()
    admin.post("/people/select", {"who": "ticked", "person": [mona.id, tess.id], "name": "picked"})
    admin.post("/people/select?search=ada", {"who": "all", "name": "matching"})
    joined = select(Segment.name, SegmentMember.person_id).join(SegmentMember, SegmentMember.segment_id == Segment.id)
    assert set(session.execute(joined)) == {("picked", mona.id), ("matching", ada.id)}
    segment = session.scalars(select(Segment).where(Segment.name == "picked")).one()
    assert names(admin.get(f"/people?segment={segment.id}").text) == ["Mona"]
    admin.post("/people/select", {"who": "ticked", "name": "none"})
    assert "Nobody is ticked" in admin.get("/people").text


def test_an_export_has_the_rows_and_columns_of_the_screen_and_no_formulas(admin: Visitor, session: Session) -> None:
    """Case 89."""
    properties.declare(session, "live", {"seats": PropertyType.NUMBER, "tags": PropertyType.ARRAY})
    segment = make_segment(session)
    evil = make_person(session, phone="+201012345678", first_name='=HYPERLINK("x")', last_name="@SUM", nickname="+1+1")
    evil.attributes = {"seats": -3, "tags": ["=1", "b"]}
    make_person(session, first_name="Zed", last_name=None)
    for name in ("first_name", "nickname"):
        properties.show(session, "live", name, is_shown=True)
    session.commit()
    told = admin.get("/people/export?sort=display_name")
    rows = list(csv.DictReader(io.StringIO(told.data.decode("utf-8-sig"))))
    assert [row["first_name"] for row in rows] == ['\'=HYPERLINK("x")', "Zed"]
    assert rows[0]["nickname"] == "'+1+1"
    assert rows[0]["phone"] == "+201012345678"
    assert (rows[0]["seats||NUMBER"], rows[0]["tags||ARRAY"]) == ("'-3", '["=1","b"]')
    assert len(list(csv.reader(io.StringIO(admin.get(f"/people/export?segment={segment.id}").text)))) == 1
    assert admin.get("/people/export?sort=nobody").status_code == 422


def test_a_person_is_added_by_hand(admin: Visitor, session: Session) -> None:
    refused = admin.post("/people/new", {"first_name": "Nobody", "environment": "test", "id": "1", "enabled": "no"})
    assert refused.status_code == 422
    sent = admin.post("/people/new?environment=test", {"phone": "+201012345678", "first_name": "Mona", "id": "7"})
    assert sent.status_code == 303
    made = session.scalars(select(Person)).one()
    assert (made.environment, made.first_name, made.country, made.enabled) == ("test", "Mona", "EG", True)
    taken = admin.post("/people/new?environment=test", {"phone": "+201012345678"})
    assert taken.status_code == 422
    assert "phone" in taken.text


def test_a_property_is_made_once_under_a_name_that_can_be_read(admin: Visitor, session: Session) -> None:
    assert admin.post("/people/properties", {"name": "user.plan", "type": "TEXT"}).status_code == 303
    for name, kind in (("plan", "TEXT"), ("two words", "TEXT"), ("country", "TEXT"), ("x", "MONEY")):
        page = admin.post("/people/properties", {"name": name, "type": kind})
        assert page.status_code == 422
        assert 'role="alert"' in page.text
    assert properties.custom(session, "live") == {"plan": "TEXT"}
    make_person(session, attributes={"plan": "gold"})
    session.commit()
    assert re.search(
        r"plan\s*</td>.*?<td class=\"number\">\s*1\s*</td>", admin.get("/people/properties").text, re.DOTALL
    )


def test_coaches_look_and_marketers_export(signed_in: Callable[[Role], Visitor], ada: Person, session: Session) -> None:
    session.commit()
    page = signed_in(Role.COACH).get("/people").text
    assert "Ada Lovelace" in page
    assert "Export CSV" not in page
    assert "Add to segment" not in page
    assert "Export CSV" in signed_in(Role.MARKETER).get("/people").text
