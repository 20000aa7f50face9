"""Goals are made, read and changed on pages and by programs; both say the same."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from bot.dashboard.goals import form
from bot.goals import goals
from bot.models.goals import BehaviourDay, Goal
from bot.models.person import Person
from bot.models.segment import Segment, SegmentMember
from bot.models.team import AuditEntry
from bot.models.words import PropertyType
from bot.people import properties
from bot.team import tokens
from bot.team.audit import COMMAND
from tests import factories as make
from tests.dashboard.visitor import Visitor
from tests.goals.aims import attribute, event, keyword, make_goal, step

FORM = {
    "name": "Enrol",
    "row": ["start", "way-0", "completion"],
    "kind.start": "keyword",
    "words.start": "learn\nI want",
    "name.start": "Asks",
    "kind.way-0": "attribute",
    "of.way-0": "grade",
    "operator.way-0": "between",
    "value.way-0": "5",
    "to.way-0": "7",
    "name.way-0": "Fits",
    "kind.completion": "event",
    "event.completion": "paid",
    "name.completion": "Pays",
}


@pytest.fixture
def marketer(app: Flask, session: Session) -> Visitor:
    return Visitor(app.test_client()).enter(session, make.make_operator(session, "marketer"))


@pytest.fixture
def program(client: FlaskClient, session: Session) -> Callable[..., Any]:
    _token, secret = tokens.create(session, "live", "shop")

    def ask(method: str, path: str, body: Any = None, status: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        answer = client.open(f"/api/v1{path}", method=method, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json

    return ask


def test_a_form_makes_a_goal_and_shows_it_again(marketer: Visitor, session: Session) -> None:
    properties.declare(session, "live", {"grade": PropertyType.NUMBER}, None)
    shown = marketer.post("/goals/build", FORM | {"do": "add"}).text
    assert shown.count('name="row"') == 4
    made = marketer.post("/goals", FORM)
    assert made.status_code == 303
    goal = session.scalars(select(Goal)).one()
    data = goals.as_data(goal)
    assert data["start"]["condition"] == {"words": ["i want", "learn"]}
    assert data["way"][0]["condition"] == {"of": "grade", "operator": "between", "value": [5, 7]}
    assert session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"goal {goal.id}")).all() == [
        "goal made"
    ]
    for path in ("/goals", f"/goals/{goal.id}", f"/goals/{goal.id}/edit", f"/goals/{goal.id}/people"):
        assert "Enrol" in marketer.get(path).text
    changed = marketer.post(f"/goals/{goal.id}/edit", FORM | {"words.start": "", "name": "Enrol now"})
    assert changed.status_code == 422
    assert "one a line" in changed.text


def test_what_a_form_holds_comes_back_from_the_goal(session: Session, app: Flask) -> None:
    kinds = {
        "grade": "NUMBER",
        "born": "DATE",
        "seen": "DATETIME",
        "paid": "BOOLEAN",
        "home": "LOCATION",
        "city": "TEXT",
    }
    types = {name: PropertyType(kind) for name, kind in kinds.items()}
    properties.declare(session, "live", types, None)
    conditions = [
        ("grade", ">=", 5),
        ("born", "between", ["2020-01-01", "2021-01-01"]),
        ("paid", "is", True),
        ("seen", "after", "2026-03-01T12:00:00Z"),
        ("city", "is_one_of", ["Cairo", "Giza"]),
        ("city", "is_empty", None),
        ("home", "within_km", {"latitude": 30.0, "longitude": 31.5, "km": 10}),
    ]
    make.make_journey(session, name="welcome", spec={"steps": [{"say": "Hello"}], "start": {}})
    way = [attribute(*each) for each in conditions] + [step("welcome", 1)]
    data = goals.as_data(make_goal(session, keyword("yes"), event("paid"), *way))
    with app.app_context():
        again = form.as_data(form.of_data(data, types), types)
    assert again == {name: data[name] for name in ("start", "way", "completion")}


def test_rows_of_a_form_are_added_and_removed_in_their_order() -> None:
    rows = form.read(MultiDict([("row", "way-0"), ("row", "way-1"), ("words.way-1", "b"), ("words.way-0", "a")]))
    left = form.change(form.change(rows, "remove:way-0"), "add")
    assert [(row.path, row.given.get("words", "")) for row in left] == [
        ("start", ""),
        ("way-0", "b"),
        ("way-1", ""),
        ("completion", ""),
    ]


def test_page_file_and_program_say_the_same_and_name_their_people(
    marketer: Visitor, program: Callable[..., Any], session: Session
) -> None:
    goal = make_goal(session, event("began"), event("paid"))
    people = [make.make_person(session, nickname=f"Person {n}") for n in range(3)]
    for n, person in enumerate(people):
        program("POST", f"/people/{person.id}/events", {"name": "began"}, 201)
        if n:
            program("POST", f"/people/{person.id}/events", {"name": "paid", "key": "1"}, 201)
            program("POST", f"/people/{person.id}/events", {"name": "paid", "key": "1"}, 200)
    told = program("GET", f"/goals/{goal.id}/figures")["figures"]
    assert (told["started"], told["completed"], told["went_on"]) == (3, 2, 2)
    rows = {(row["figure"], row["behaviour"]): row["value"] for row in _csv(marketer.get(f"/goals/{goal.id}.csv").text)}
    assert (rows["did", "began"], rows["did", "paid"], rows["completed", ""]) == ("3", "2", "2")
    listed = program("GET", f"/goals/{goal.id}/people?group=completed")["people"]
    assert [each["id"] for each in listed] == [each.id for each in people[1:]]
    shown = marketer.get(f"/goals/{goal.id}/people?group=left").text
    assert ("Person 0" in shown, "Person 1" in shown) == (True, False)
    assert marketer.post(f"/goals/{goal.id}/people?group=left", {"name": "Left behind"}).status_code == 303
    segment = session.scalars(select(Segment).where(Segment.name == "Left behind")).one()
    members = select(SegmentMember.person_id).where(SegmentMember.segment_id == segment.id)
    assert list(session.scalars(members)) == [people[0].id]


def test_whoever_was_erased_is_in_the_number_and_in_no_segment_of_it(marketer: Visitor, session: Session) -> None:
    goal, at = make_goal(session, keyword("yes"), event("paid")), datetime.now(UTC)
    there, erased = (make.make_person(session, erased_at=gone) for gone in (None, at))
    for person in (there, erased):
        told = {"environment": "live", "author_kind": "", "author_id": 0, "at": at, "day": at.date()}
        session.add(BehaviourDay(behaviour_id=goal.behaviours[0].id, person_id=person.id, **told))
    session.flush()
    behaviour = f"behaviour={goal.behaviours[0].id}"
    assert "did,yes,2," in marketer.get(f"/goals/{goal.id}.csv").text
    assert marketer.post(f"/goals/{goal.id}/people?{behaviour}", {"name": "Said yes"}).status_code == 303
    assert session.scalars(select(SegmentMember.person_id)).all() == [there.id]


def test_a_program_makes_changes_and_removes_a_goal(program: Callable[..., Any], session: Session) -> None:
    given = {"name": "Enrol", "start": keyword("yes"), "completion": event("paid")}
    made = program("POST", "/goals", given, 201)
    assert program("GET", "/goals")["goals"] == [made]
    program("PUT", f"/goals/{made['id']}", given | {"name": "Enrol now"})
    refused = program("POST", "/goals", given | {"way": [keyword("?")]}, 422)
    assert refused["error"]["field"] == "way[0].condition.words"
    refused = program("GET", f"/goals/{made['id']}/figures?number=999", status=400)
    assert refused["error"]["field"] == "number"
    program("DELETE", f"/goals/{made['id']}", status=204)
    program("GET", f"/goals/{made['id']}", status=404)


@pytest.mark.parametrize("query", ["number=999", "segment=999", "since=2026-03-02", "period=never"])
def test_what_is_not_there_is_refused_for_goals_too_and_nothing_is_made_of_other_days(
    marketer: Visitor, session: Session, query: str
) -> None:
    goal = make_goal(session, keyword("yes"), event("paid"))
    paths = ("/goals", f"/goals/{goal.id}", f"/goals/{goal.id}.csv", f"/goals/{goal.id}/people")
    assert {marketer.get(f"{path}?{query}").status_code for path in paths} == {400}
    assert marketer.post(f"/goals/{goal.id}/people?{query}", {"name": "Others"}).status_code == 400
    assert session.scalars(select(Segment.name)).all() == []


def test_a_goal_of_test_is_asked_of_the_numbers_of_test(marketer: Visitor, session: Session) -> None:
    given = {"name": "Try", "start": keyword("yes"), "completion": event("paid")}
    goal = goals.create(session, "test", given, COMMAND)
    number = make.make_number(session, environment="test")
    assert marketer.get(f"/goals/{goal.id}?number={number.id}").status_code == 200


def test_what_was_sent_before_leads_to_whoever_sent_it_by_the_newest_version(
    marketer: Visitor, session: Session
) -> None:
    versions = [make.make_journey(session, name="course", version=n, active=n == 2) for n in (1, 2)]
    goal, today = make_goal(session, keyword("yes"), event("paid")), datetime.now(UTC)
    for journey in versions:
        told = {"person_id": make.make_person(session).id, "author_kind": "stack", "author_id": journey.id}
        day = {"behaviour_id": goal.behaviours[0].id, "environment": "live", "at": today, "day": today.date()}
        session.add(BehaviourDay(**told, **day, author_step=1))
        session.flush()
    page = marketer.get(f"/goals/{goal.id}?behaviour={goal.behaviours[0].id}").text
    assert re.findall(r'href="/journeys/(\d+)">course', page) == [str(versions[1].id)]


def test_a_row_without_a_kind_asks_for_the_kind_and_not_for_a_field_nobody_sees(marketer: Visitor) -> None:
    page = marketer.post("/goals", {"name": "Enrol", "row": ["start", "completion"]}).text
    assert page.count("Choose by what it is recognised.") == 2
    assert "Give it a name" not in page
    page = marketer.post("/goals", {"name": "Enrol", "row": ["start", "completion"], "kind.start": "event"}).text
    assert "What to call it: Give it a name of 1 to" in page


@pytest.mark.parametrize("words", ["group=nonsense", "behaviour=999", "behaviour=x"])
def test_who_is_behind_a_number_that_there_is_not_is_no_page(marketer: Visitor, session: Session, words: str) -> None:
    goal = make_goal(session, keyword("yes"), event("paid"))
    assert marketer.get(f"/goals/{goal.id}/people?{words}").status_code == 404
    assert marketer.get(f"/goals/{goal.id}?{words}").status_code == 404


def test_an_attribute_counts_by_whichever_door_it_comes(
    marketer: Visitor, program: Callable[..., Any], session: Session
) -> None:
    properties.declare(session, "live", {"grade": PropertyType.NUMBER}, None)
    goal = make_goal(session, attribute("grade", ">=", 5), event("paid"))
    goal.behaviours[0].looked_at = goal.created_at
    session.flush()
    made = program("POST", "/people", {"distinct_id": "a", "attributes": {"grade": 5}}, 201)["id"]
    changed = make.make_person(session)
    program("PATCH", f"/people/{changed.id}", {"attributes": {"grade": 6}})
    by_hand = make.make_person(session)
    marketer.post(f"/people/{by_hand.id}/attributes", {"grade": "7"})
    found = session.scalars(select(BehaviourDay.person_id)).all()
    assert {made, changed.id} <= set(found)
    has = session.scalars(select(Person.id).where(Person.attributes.has_key("grade"))).all()
    assert set(found) == set(has)


def _csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
