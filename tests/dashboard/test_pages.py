"""Every page there is, with something on it, as each role sees it."""

import re
from collections.abc import Callable, Iterator, Mapping

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bot.conversations import threads
from bot.models.schema import metadata
from bot.models.words import BroadcastState, Environment, Role
from tests.dashboard.test_guard import routes
from tests.dashboard.visitor import Visitor
from tests.factories import (
    make_broadcast,
    make_conversation,
    make_inbound,
    make_journey,
    make_number,
    make_operator,
    make_person,
    make_segment,
    make_template,
)

EVIL = "\"'><script>alert(1)</script>{{7*7}}"


@pytest.fixture
def furnished(session: Session) -> None:
    """Something of everything, all of it named by somebody who means harm."""
    number = make_number(session)
    number.name = EVIL
    person = make_person(session, first_name=EVIL, last_name=EVIL)
    conversation = make_conversation(session, person, number)
    make_inbound(session, person, number, EVIL)
    threads.close(session, conversation.id, make_operator(session).id)
    segment = make_segment(session, [person], name=EVIL)
    template = make_template(session, number.connection)
    make_broadcast(session, number, segment, template).name = EVIL
    make_broadcast(session, number, segment, template, state=BroadcastState.FINISHED)
    make_journey(session, name=EVIL, source=EVIL, spec={"steps": [{"say": EVIL}]})
    session.commit()


def linked(visitor: Visitor, start: str = "/") -> Iterator[tuple[str, TestResponse]]:
    """Every page reachable by links, with each value of each parameter once, though not with each of the others."""
    seen, waiting = pairs_of(start), [start]
    while waiting:
        address = waiting.pop()
        page = visitor.get(address)
        yield address, page
        if page.mimetype != "text/html":
            page.get_data()  # a file that nobody reads to its end would keep its transaction
            continue
        for found in re.findall(r'href="(/[^"#]*)"', page.text):
            link = found.replace("&amp;", "&")
            if not pairs_of(link) <= seen and not link.startswith(("/static", "/bootstrap")):
                seen |= pairs_of(link)
                waiting.append(link)


def pairs_of(address: str) -> set[tuple[str, str]]:
    """The page, with each of its parameters."""
    path, _, query = address.partition("?")
    return {(path, pair) for pair in query.split("&")}


SLOW = [pytest.param(role, marks=pytest.mark.slow) for role in Role if role not in {Role.ADMIN, Role.COACH}]


@pytest.mark.parametrize("role", [Role.COACH, *SLOW])
def test_every_link_on_every_page_leads_somewhere_good(
    furnished: None, signed_in: Callable[[Role], Visitor], role: Role
) -> None:
    lead_somewhere_good(dict(linked(signed_in(role))))


def test_every_link_an_admin_sees_leads_somewhere_good_and_looking_changes_nothing(
    app: Flask, furnished: None, admin: Visitor, connection: Connection
) -> None:
    before = contents(connection)
    pages = dict(linked(admin))
    lead_somewhere_good(pages)
    for _, address, _ in routes(app, changing=False):
        if address not in pages:
            admin.client.get(address)
    assert contents(connection) == before


def lead_somewhere_good(pages: Mapping[str, TestResponse]) -> None:
    assert len(pages) > 8
    assert [address for address, page in pages.items() if page.status_code != 200] == []
    for address, page in pages.items():
        if page.mimetype == "text/html":
            assert "<script>alert" not in page.text, address


def contents(connection: Connection) -> dict[str, list[str]]:
    tables = [name for name in metadata.tables if name not in {"sign_in", "audit_entry"}]
    return {name: sorted(connection.scalars(text(f'SELECT t::text FROM "{name}" t'))) for name in tables}


def test_an_empty_house_says_on_every_page_what_to_do_next(admin: Visitor) -> None:
    for path in ("/inbox", "/people", "/journeys", "/reminders", "/segments", "/broadcasts"):
        page = admin.get(path).text
        assert re.search(r"<code>backchat|backchat \w+ \w+|btn-primary", page), path


def test_the_start_page_knows_what_has_been_tried(admin: Visitor, session: Session) -> None:
    assert "step-done" not in admin.get("/").text
    number = make_number(session)
    session.commit()
    page = admin.get("/").text
    assert page.count("step-done") == 1
    make_conversation(session, make_person(session), number)
    session.commit()
    assert admin.get("/").text.count("step-done") == 2


def test_the_start_page_shows_the_environment_in_use(admin: Visitor, session: Session) -> None:
    make_number(session, environment=Environment.TEST)
    session.commit()
    assert "environment=test" in admin.get("/").text
    assert "in the test environment" not in admin.get("/?environment=live").text
    make_number(session)
    session.commit()
    assert "in the test environment" not in admin.get("/").text


def test_the_navigation_offers_what_the_role_may_open(signed_in: Callable[[Role], Visitor]) -> None:
    offered = {
        role: set(re.findall(r'<a href="(/\w+)"', signed_in(role).get("/account").text.partition('class="me"')[0]))
        for role in Role
    }
    everybody = {"/people", "/reminders", "/journeys", "/insights", "/goals", "/logs"}
    assert offered[Role.COACH] == {"/inbox", *everybody}
    assert offered[Role.MARKETER] == {"/segments", "/broadcasts", *everybody}
    assert offered[Role.ADMIN] == offered[Role.COACH] | offered[Role.MARKETER] | {"/connections", "/team"}


def test_a_journey_is_shown_as_it_was_written(admin: Visitor, session: Session) -> None:
    source = "journey: welcome\nsteps:\n  - say: Hi <<user.first_name>>!\n"
    old = make_journey(session, name="welcome", source="old", active=False)
    new = make_journey(session, name="welcome", source=source, version=2)
    session.commit()
    page = admin.get("/journeys").text
    assert "version 2" in page
    assert "version 1" not in page
    assert "Hi &lt;&lt;user.first_name&gt;&gt;!" in admin.get(f"/journeys/{new.id}").text
    assert "no longer active" in admin.get(f"/journeys/{old.id}").text
