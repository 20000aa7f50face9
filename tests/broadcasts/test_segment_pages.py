"""Segments by pages: built without code and without a script, shown, copied, given back as a file."""

import re
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.person import Property
from bot.models.segment import Segment, SegmentMember
from bot.models.words import AuthorKind, BroadcastState, MessageState
from tests import factories
from tests.dashboard.visitor import Visitor

EGYPT = {"what.r-0": "country", "operator.r-0": "is", "value.r-0": "EG"}


@pytest.fixture
def people(session: Session) -> None:
    session.add(Property(environment="live", name="age", type="NUMBER"))
    for number in range(3):
        factories.make_person(session, country="EG", first_name=f"Mona {number}", attributes={"age": 30 + number})
    factories.make_person(session, country="DE", first_name="Otto", attributes={"age": 70})
    session.commit()


def build(visitor: Visitor, do: str = "refresh", **fields: Any) -> str:
    visitor.get("/segments/new")
    form = {"node": ["r-0"], "match.r": "all", "do": do, "name": "x"} | fields
    return visitor.post("/segments/build", form).text


def make(visitor: Visitor, name: str = "Egypt", **fields: Any) -> Any:
    visitor.get("/segments/new")
    return visitor.post("/segments", {"name": name, "node": ["r-0"], "match.r": "all", **EGYPT} | fields)


def test_a_rule_is_built_without_a_script(people: None, marketer: Visitor) -> None:
    page = marketer.get("/segments/new").text
    assert "Fill in the conditions" in page
    chosen = build(marketer, **{"what.r-0": "attribute:age"})
    assert 'type="number"' in chosen
    counted = build(
        marketer, **{"what.r-0": "attribute:age", "operator.r-0": "between", "value.r-0": "30", "to.r-0": "31"}
    )
    assert re.search(r'answer-count">\s*2\s*<', counted)
    assert "Mona 1" in counted


def test_buttons_add_and_remove_conditions_and_groups(marketer: Visitor) -> None:
    two = build(marketer, "add:r", **EGYPT)
    assert 'name="what.r-1"' in two
    grouped = build(marketer, "group:r", **EGYPT)
    assert 'name="match.r-1"' in grouped
    assert 'name="what.r-1-0"' in grouped
    none = build(marketer, "remove:r-0", **EGYPT)
    assert 'name="what.r-0"' not in none
    assert 'value="EG"' in two


def test_parts_come_alone_for_the_script(people: None, marketer: Visitor) -> None:
    count = build(marketer, part="count", **EGYPT)
    assert "<html" not in count
    assert re.search(r'answer-count">\s*3\s*<', count)
    assert "<html" not in build(marketer, part="builder", **EGYPT)


def test_a_segment_is_made_shown_changed_copied_and_deleted(people: None, marketer: Visitor, session: Session) -> None:
    address = make(marketer).location
    page = marketer.get(address).text
    assert re.search(r"<span >\s*3</span>\s*people", page)
    assert "Country is “EG”" in page
    assert "Otto" not in page
    assert "curl -H" in page

    assert 'value="EG"' in marketer.get(f"{address}/edit").text
    change = {"name": "Germany", "node": ["r-0"], "match.r": "none", **EGYPT}
    assert marketer.post(f"{address}/edit", change).status_code == 303
    page = marketer.get(address).text
    assert "not at least one of these" in page
    assert "Otto" in page

    copy = marketer.post(f"{address}/duplicate").location
    assert "Germany (copy)" in marketer.get(copy).text
    assert marketer.post(f"{copy}/delete").status_code == 303
    assert session.scalars(select(Segment.name)).all() == ["Germany"]


def test_a_refused_rule_says_where(people: None, marketer: Visitor) -> None:
    refused = make(marketer, **{"what.r-0": "attribute:age", "operator.r-0": "<", "value.r-0": "old"})
    assert refused.status_code == 422
    assert 'rule-problem" role="alert">old is not of type NUMBER' in refused.text
    assert "Put at least one condition here" in make(marketer, node=[]).text
    assert "Give the segment a name" in make(marketer, name=" ").text
    make(marketer)
    assert "There is a segment Egypt already" in make(marketer).text


def test_a_segment_in_use_is_not_deleted(people: None, marketer: Visitor, session: Session) -> None:
    segment = factories.make_segment(session, name="spring")
    number = factories.make_number(session)
    factories.make_broadcast(session, number, segment, factories.make_template(session, number.connection))
    session.commit()
    marketer.get(f"/segments/{segment.id}")
    marketer.post(f"/segments/{segment.id}/delete")
    assert "spring cannot be deleted, for it is used by the broadcast" in marketer.get(f"/segments/{segment.id}").text


def test_its_people_come_as_a_file_without_formulas(people: None, marketer: Visitor, session: Session) -> None:
    factories.make_person(session, country="EG", first_name="=1+1", distinct_id="evil", phone="+201012345678")
    session.commit()
    answer = marketer.get(f"{make(marketer).location}.csv")
    rows = answer.data.decode("utf-8-sig").splitlines()
    assert rows[0] == "user_id,phone_number,email,nickname,first_name,last_name,country,language,time_zone,age||NUMBER"
    assert rows[4] == "evil,+201012345678,,,'=1+1,,EG,,,"
    assert len(rows) == 5


def test_a_number_of_a_broadcast_becomes_a_segment(marketer: Visitor, session: Session) -> None:
    number, segment = factories.make_number(session), factories.make_segment(session)
    template = factories.make_template(session, number.connection)
    broadcast = factories.make_broadcast(session, number, segment, template, state=BroadcastState.FINISHED)
    for state in (MessageState.FAILED, MessageState.FAILED, MessageState.ACCEPTED):
        person = factories.make_person(session)
        columns: dict[str, Any] = {"author_kind": AuthorKind.BROADCAST, "broadcast_id": broadcast.id}
        factories.make_outbound(session, person, number, state=state, **columns)
    session.commit()
    page = marketer.get(f"/segments/of-broadcast?broadcast={broadcast.id}&outcome=failed").text
    assert "Make a segment of" in page
    form = {"broadcast": broadcast.id, "outcome": "failed", "name": "try again"}
    made = marketer.get(marketer.post("/segments/of-broadcast", form).location).text
    assert "failed”" in made
    kept = select(SegmentMember).join(Segment, Segment.id == SegmentMember.segment_id)
    assert len(session.scalars(kept.where(Segment.name == "try again")).all()) == 2
    assert marketer.get("/segments/of-broadcast?broadcast=0&outcome=failed").status_code == 404


def test_segments_of_live_and_test_are_apart(people: None, marketer: Visitor, session: Session) -> None:
    marketer.get("/segments/new?environment=test")
    form = {"name": "Egypt", "node": ["r-0"], "match.r": "all", **EGYPT}
    address = marketer.post("/segments?environment=test", form).location
    assert session.scalars(select(Segment.environment)).all() == ["test"]
    assert "Nobody matches the rule right now" in marketer.get(address).text
    assert "Egypt" not in marketer.get("/segments").text
