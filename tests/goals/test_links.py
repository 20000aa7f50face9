"""A link of ours says who followed it, leads where the team said, and nowhere else."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.goals import goals, links
from bot.goals.links import LinkError
from bot.messages import personalise
from bot.messages.placeholder import PlaceholderError
from bot.models.goals import LinkClick, TrackedLink
from bot.people import links as addresses
from bot.people import merge
from bot.people.values import load_values
from bot.team.audit import COMMAND
from tests import factories as make
from tests.dashboard.visitor import Visitor
from tests.goals.aims import asked, done, event, look_back, make_goal

TARGET = "https://shop.example/course?from=chat"
BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126 Mobile Safari/537.36"}
LINK = {"name": "course", "kind": "link", "condition": {"link": "course"}}


@pytest.fixture
def link(session: Session) -> TrackedLink:
    return links.create(session, "live", "course", TARGET, COMMAND)


def address(session: Session, person_id: int, text: str = "<<link.course>>") -> str:
    """As somebody is sent it, without what stands before its path."""
    found = personalise.render(text, load_values(session, [person_id])[person_id])
    assert found.empty == ()
    return found.text[found.text.index(addresses.PATH) :]


def test_each_person_gets_an_address_of_their_own_and_following_it_counts_once_a_day(
    client: FlaskClient, session: Session, link: TrackedLink
) -> None:
    goal = make_goal(session, LINK, event("paid"))
    ann, bob = make.make_person(session), make.make_person(session)
    session.commit()
    assert address(session, ann.id) != address(session, bob.id)
    for _ in range(2):
        answer = client.get(address(session, ann.id), headers=BROWSER)
        assert (answer.status_code, answer.headers["Location"]) == (302, TARGET)
    assert done(session, goal) == [("course", ann.id)]
    [told] = links.counted(session, "live")
    assert (told.clicks, told.people) == (2, 1)
    later = make_goal(session, LINK, event("paid"), looks_back=True, name="Later")
    look_back(session)
    assert done(session, later) == [("course", ann.id)]
    assert asked(goal).goal is goal


@pytest.mark.parametrize(
    "method, headers",
    [
        ("HEAD", BROWSER),
        ("GET", {"User-Agent": "WhatsApp/2.23.20.0 A"}),
        ("GET", {"User-Agent": "facebookexternalhit/1.1"}),
        ("GET", {"User-Agent": ""}),
        ("GET", BROWSER | {"Sec-Purpose": "prefetch;prerender"}),
    ],
)
def test_a_preview_is_led_there_and_counts_as_nobody(
    client: FlaskClient, session: Session, link: TrackedLink, method: str, headers: dict[str, str]
) -> None:
    goal = make_goal(session, LINK, event("paid"))
    person = make.make_person(session)
    session.commit()
    answer = client.open(address(session, person.id), method=method, headers=headers)
    assert answer.headers["Location"] == TARGET
    assert done(session, goal) == []
    assert list(session.scalars(select(LinkClick.is_preview))) == [True] * (method == "GET")


def test_a_token_that_was_made_up_or_cut_short_leads_nowhere(
    client: FlaskClient, session: Session, link: TrackedLink
) -> None:
    person, other = make.make_person(session), make.make_person(session)
    session.commit()
    path = address(session, person.id)
    raw = addresses.token(link, person.id)
    forged = addresses.token(link, other.id)[:16] + raw[16:]
    for wrong in (path[:-1], path + "A", f"{addresses.PATH}{forged}", f"{addresses.PATH}x", f"{addresses.PATH}%20"):
        answer = client.get(wrong, headers=BROWSER)
        assert (answer.status_code, answer.headers.get("Location")) == (404, None), wrong
    assert session.scalars(select(LinkClick)).all() == []


def test_whoever_was_merged_is_known_by_what_was_sent_before_and_whoever_was_erased_is_not(
    client: FlaskClient, session: Session, link: TrackedLink
) -> None:
    goal = make_goal(session, LINK, event("paid"))
    people = [make.make_person(session) for _ in range(2)]
    paths = [address(session, each.id) for each in people]
    stays = merge.merge(session, [each.id for each in people], "the test says so")
    session.commit()
    for path in paths:
        client.get(path, headers=BROWSER)
    assert done(session, goal) == [("course", stays)]
    gone = make.make_person(session, enabled=False)
    path = address(session, gone.id)
    gone.erased_at = goal.created_at
    session.commit()
    assert client.get(path, headers=BROWSER).status_code == 302
    assert done(session, goal) == [("course", stays)]


def test_the_end_alone_fills_a_templates_button(session: Session, link: TrackedLink) -> None:
    person = make.make_person(session)
    values = load_values(session, [person.id], {"link:course.token"})[person.id]
    whole = load_values(session, [person.id])[person.id]["link:course"]
    assert whole.endswith(addresses.PATH + personalise.render("<<link.course.token>>", values).text)
    assert "link:course" not in load_values(session, [person.id], {"first_name"})[person.id]
    with pytest.raises(PlaceholderError):
        personalise.check("<<link>>")


@pytest.mark.parametrize(
    "name, target, field",
    [
        ("Course", TARGET, "name"),
        ("course", TARGET, "name"),
        ("", TARGET, "name"),
        ("a", "javascript:alert(1)", "target"),
        ("a", "//shop.example", "target"),
        ("a", "https://u:p@shop.example", "target"),
        ("a", "https://shop.example/ x", "target"),
    ],
)
def test_a_link_that_cannot_be_is_refused(
    session: Session, link: TrackedLink, name: str, target: str, field: str
) -> None:
    with pytest.raises(LinkError) as refused:
        links.create(session, "live", name, target, COMMAND)
    assert refused.value.field == field


def test_a_marketer_makes_a_link_and_leads_it_elsewhere(app: Flask, session: Session) -> None:
    marketer = Visitor(app.test_client()).enter(session, make.make_operator(session, "marketer"))
    assert marketer.post("/goals/links", {"name": "course", "target": "nowhere"}).status_code == 422
    assert marketer.post("/goals/links", {"name": "course", "target": TARGET}).status_code == 303
    assert "&lt;&lt;link.course&gt;&gt;" in marketer.get("/goals/links").text
    made = session.scalars(select(TrackedLink)).one()
    marketer.post(f"/goals/links/{made.id}", {"target": "https://shop.example/other"})
    session.refresh(made)
    assert made.target == "https://shop.example/other"
    given = {"name": "Enrol", "start": LINK, "completion": event("paid")}
    assert goals.create(session, "live", given, COMMAND).behaviours[0].condition == {"link": "course"}
