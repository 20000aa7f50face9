"""A person's page: all that is known and all that was sent, the same for every role."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from bot.conversations import threads
from bot.models.connection import Number
from bot.models.person import Person
from bot.models.words import AddressKind, Channel, Role
from bot.people import preferences, topics
from bot.people.tellers import Teller
from tests import factories as make
from tests.dashboard.profile import fresh, post
from tests.dashboard.visitor import Visitor

EVIL = "\"'><script>alert(1)</script>{{7*7}}"


@pytest.mark.parametrize("role", Role)
def test_everything_on_one_person_is_on_one_page(
    signed_in: Callable[[Role], Visitor], rich: Person, role: Role
) -> None:
    """B1, B2, B3b, B8, B10, B11: the same for every role, but that a viewer reads no address."""
    page = signed_in(role).get(f"/people/{rich.id}").text
    for words in (
        *("Ada Lovelace", rich.distinct_id, f"User ID <code>{rich.id}</code>", "Spring course"),
        *("Name", "Country", "Timezone", "Status", "Created at", "Updated at", "grade", "undeclared"),
        *("Email", "SMS", "WhatsApp", "Push", "WebPush", "Slack", "Discord", "Teams", "Inapp"),
        *("Notifications sent", "Your parcel is here", "Thanks!", "Preferences", "Consent to marketing"),
    ):
        assert words in page, words
    assert ("/inbox/" in page) == (role is not Role.MARKETER)
    assert ("ada@example.org" in page) == (role is not Role.VIEWER)


def test_hostile_words_are_shown_as_they_are(admin: Visitor, session: Session, number: Number) -> None:
    """Case 111, in names, attributes, addresses, segments, topics, messages and errors."""
    person = make.make_person(session, first_name=EVIL, nickname=EVIL, distinct_id=EVIL)
    person.attributes = {"evil": EVIL, "list": [EVIL], "lines": f"a\n{EVIL}</textarea>"}
    make.make_address(session, person, AddressKind.PUSH, EVIL)
    make.make_segment(session, [person], name=EVIL)
    topic = topics.create(session, "live", EVIL[:80])
    preferences.choose(session, person, [preferences.Choice(Channel.WHATSAPP, False, topic.id)], Teller(EVIL))
    conversation = make.make_conversation(session, person, number)
    threads.close(session, conversation.id, make.make_operator(session).id)
    sent = make.make_outbound(session, person, number, EVIL, state="failed", error_text=EVIL, error_code=7)
    session.commit()
    for address in (
        f"/people/{person.id}",
        f"/people/{person.id}/messages/{sent.id}",
        f"/people/{person.id}/messages",
        "/people/topics",
    ):
        page = admin.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text
        assert "49" not in re.sub(r"\d{3,}|49\d|\d49", "", page.text.partition("{{7*7}}")[0][-200:])
    saved = {"was.lines": f"a\r\n{EVIL}</textarea>", "value.lines": f"a\r\n{EVIL}</textarea>"}
    post(admin, person, "/attributes", **saved)
    assert fresh(session, person).attributes["lines"] == f"a\n{EVIL}</textarea>"


def test_a_page_of_somebody_who_is_not_there_is_none(admin: Visitor) -> None:
    for address in ("/people/7", "/people/7/messages", "/people/7/messages/7", f"/people/{2**63}"):
        assert admin.get(address).status_code == 404


def test_a_profile_leads_on_to_what_else_the_role_may_do_with_somebody(
    signed_in: Callable[[Role], Visitor], session: Session, ada: Person
) -> None:
    session.commit()
    for role, offered in ((Role.ADMIN, {"why", "merge", "erase", "export"}), (Role.COACH, {"why"})):
        page = signed_in(role).get(f"/people/{ada.id}").text
        found = set(re.findall(rf'href="/people/{ada.id}/(\w+)"', page)) - {"messages"}
        assert offered <= found
        assert ("erase" in found) == (role is Role.ADMIN)
        assert 'class="back" href="/people"' in page
