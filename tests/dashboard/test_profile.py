"""A person's page: all that is known, all that was sent, and everything that can be changed about them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations import threads
from bot.messages.compose import SWITCHED_OFF
from bot.models.connection import Number
from bot.models.message import Message, StatusEvent
from bot.models.person import Address, ConsentEvent, Person, Property
from bot.models.preference import Preference
from bot.models.words import AddressKind, Channel, PropertyType, Role
from bot.people import preferences, properties, topics
from bot.people.tellers import Teller
from tests import factories as make
from tests.dashboard.visitor import Visitor

DASH = "\N{EN DASH}"
EVIL = "\"'><script>alert(1)</script>{{7*7}}"


def fresh(session: Session, person: Person) -> Person:
    session.expire_all()
    return person


def accepted(
    session: Session, person: Person, number: Number, level: int, body: str = "hello", **columns: Any
) -> Message:
    columns = {"state": "accepted", "delivery_level": level} | columns
    return make.make_outbound(session, person, number, body, **columns)


@pytest.fixture
def rich(session: Session, number: Number, ada: Person) -> Person:
    """Ada with something of everything."""
    properties.declare(session, "live", {"grade": PropertyType.NUMBER, "member": PropertyType.BOOLEAN})
    ada.attributes = {"grade": 7, "member": True, "old": "undeclared"}
    make.make_address(session, ada, AddressKind.EMAIL, "ada@example.org")
    make.make_segment(session, [ada], name="Spring course")
    make.make_conversation(session, ada, number)
    accepted(session, ada, number, 3, "Your parcel is here", provider_message_id="wamid.parcel")
    make.make_inbound(session, ada, number, "Thanks!", reply_to_provider_message_id="wamid.parcel")
    session.commit()
    return ada


@pytest.mark.parametrize("role", Role)
def test_everything_on_one_person_is_on_one_page(
    signed_in: Callable[[Role], Visitor], rich: Person, role: Role
) -> None:
    """B1, B2, B3b, B8, B10, B11: the same for every role."""
    page = signed_in(role).get(f"/people/{rich.id}").text
    for words in (
        *("Ada Lovelace", rich.distinct_id, f"User ID <code>{rich.id}</code>", "ada@example.org", "Spring course"),
        *("Name", "Country", "Timezone", "Status", "Created at", "Updated at", "grade", "undeclared"),
        *("Email", "SMS", "WhatsApp", "Push", "WebPush", "Slack", "Discord", "Teams", "Inapp"),
        *("Notifications sent", "Your parcel is here", "Thanks!", "Preferences", "Consent to marketing"),
    ):
        assert words in page, words
    assert ("/inbox/" in page) == (role is not Role.MARKETER)


def figures(page: str) -> dict[str, str]:
    found = re.findall(r'stat-label">([^<]+)</span>\s*<span class="stat-value">([^<]+)<', page)
    return dict(found)


def test_each_event_counts_once_for_its_message_however_often_it_was_told(
    admin: Visitor, session: Session, number: Number, ada: Person
) -> None:
    """A2, A4, A19, X10: two devices and a repeated webhook are still one delivery, one tap and one reply."""
    sent = accepted(session, ada, number, 3, provider_message_id="wamid.1")
    at = datetime.now(UTC)
    for second in range(3):
        session.add(
            StatusEvent(
                number_id=number.id,
                provider_message_id="wamid.1",
                message_id=sent.id,
                status="delivered",
                occurred_at=at + timedelta(seconds=second),
            )
        )
        tap = {"type": "button", "button": {"text": "Yes"}}
        heard = make.make_inbound(session, ada, number, "Yes", reply_to_provider_message_id="wamid.1")
        heard.kind, heard.content = "button", tap
    make.make_outbound(session, ada, number, state="failed", error_code=131026, error_text="cannot be delivered")
    make.make_outbound(session, ada, number, state="suppressed", error_text=SWITCHED_OFF)
    session.commit()
    page = admin.get(f"/people/{ada.id}").text
    expected = {
        "Sent": "1",
        "Delivered": "1",
        "Read": "1",
        "Clicked": "1",
        "Replied": "1",
        "Failed": "1",
        "Not sent": "1",
    }
    assert figures(page) == expected
    details = admin.get(f"/people/{ada.id}/messages/{sent.id}").text
    assert details.count("<b>Delivered</b>") == 3  # every report stays, as it was told


def test_what_no_channel_reports_is_a_dash_and_not_a_zero(
    admin: Visitor, session: Session, number: Number, ada: Person
) -> None:
    """A20."""
    accepted(session, ada, number, 2)
    session.commit()
    page = admin.get(f"/people/{ada.id}").text
    assert figures(page) | {"Sent": "1", "Delivered": "1", "Read": DASH, "Clicked": DASH, "Replied": DASH} == figures(
        page
    )
    assert "switch read receipts off" in page
    assert "never of links" in page


def test_an_answer_within_a_day_is_a_reply_and_a_later_one_is_not(
    admin: Visitor, session: Session, number: Number, ada: Person
) -> None:
    now = datetime.now(UTC)
    accepted(session, ada, number, 2, occurred_at=now - timedelta(days=5))
    make.make_inbound(session, ada, number, occurred_at=now - timedelta(days=3))
    session.commit()
    assert figures(admin.get(f"/people/{ada.id}").text)["Replied"] == DASH
    accepted(session, ada, number, 2, occurred_at=now - timedelta(hours=2))
    make.make_inbound(session, ada, number, occurred_at=now - timedelta(hours=1))
    session.commit()
    assert figures(admin.get(f"/people/{ada.id}").text)["Replied"] == "1"


def test_a_notification_leads_to_its_content_template_and_status(
    admin: Visitor, session: Session, number: Number, ada: Person
) -> None:
    """A17, A18."""
    template = make.make_template(session, number.connection, name="course_starts", category="MARKETING")
    content = {"type": "template", "template": {"name": template.name, "language": {"code": "en"}}}
    sent = accepted(session, ada, number, 1, "Hello Ada")
    sent.kind, sent.content = "template", content
    sent.state, sent.error_code, sent.error_text = "failed", 131026, "the message cannot be delivered"
    session.commit()
    page = admin.get(f"/people/{ada.id}").text
    assert f"/people/{ada.id}/messages/{sent.id}" in page
    assert "course_starts" in page
    details = admin.get(f"/people/{ada.id}/messages/{sent.id}").text
    for words in (
        "Hello Ada",
        "course_starts",
        "Hello {{1}}",
        "marketing",
        "Not delivered",
        "The message cannot be delivered.",
        "not on WhatsApp",
    ):
        assert words in details, words
    assert admin.get(f"/people/{make.make_person(session).id}/messages/{sent.id}").status_code == 404


def test_messages_and_responses_come_a_page_at_a_time(
    admin: Visitor, session: Session, number: Number, ada: Person
) -> None:
    """A6: what they received and what they answered; nothing twice and nothing left out, even within one instant."""
    at = datetime.now(UTC)
    for count in range(60):
        accepted(session, ada, number, 1, f"notice number {count:02}", occurred_at=at)
    make.make_inbound(session, ada, number, "I am here")
    session.commit()
    seen: list[str] = []
    address: str | None = f"/people/{ada.id}/messages"
    while address:
        page = admin.get(address).text
        seen += re.findall(r"notice number \d\d", page)
        older = re.search(r'href="([^"]*before=\d+)"', page)
        address = older[1].replace("&amp;", "&") if older else None
    assert len(seen) == len(set(seen)) == 60
    assert "I am here" in admin.get(f"/people/{ada.id}/messages?show=responses").text


def post(visitor: Visitor, person: Person, where: str = "", **form: Any) -> Any:
    visitor.get(f"/people/{person.id}")
    return visitor.post(f"/people/{person.id}{where}", form)


@pytest.mark.parametrize("role", Role)
def test_every_role_edits_a_profile(
    signed_in: Callable[[Role], Visitor], session: Session, ada: Person, role: Role
) -> None:
    session.commit()
    form = {"was.first_name": "Ada", "first_name": "Augusta", "was.country": "", "country": "gb"}
    assert post(signed_in(role), ada, **form).status_code == 303
    assert (fresh(session, ada).first_name, ada.last_name, ada.country) == ("Augusta", "Lovelace", "GB")


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


def test_preferences_are_a_grid_of_topics_and_channels(coach: Visitor, session: Session, ada: Person) -> None:
    """B7, B19."""
    news = topics.create(session, "live", "News")
    session.commit()
    page = coach.get(f"/people/{ada.id}").text
    assert page.count('class="form-check-input"') == 2 * 9
    assert page.count("checked") == 2 * 9
    was = {f"was.{key}.{channel}": "yes" for key in ("all", news.id) for channel in ("whatsapp", "email")}
    wants = {"wants.all.whatsapp": "yes", "wants.all.email": "yes", f"wants.{news.id}.email": "yes"}
    post(coach, ada, "/preferences", **was, **wants)
    row = session.scalars(select(Preference)).one()
    assert (row.topic_id, row.channel, row.wants, row.source) == (news.id, "whatsapp", False, "coach")
    assert coach.get(f"/people/{ada.id}").text.count("checked") == 2 * 9 - 1
    assert post(coach, ada, "/preferences", **{"was.999999.whatsapp": "yes"}).status_code == 422
    assert post(coach, ada, "/preferences", **{"was.x.whatsapp": "yes", "was.all.fax": "yes"}).status_code == 303


def test_the_ledger_of_consent_is_kept_by_hand_with_its_evidence(coach: Visitor, session: Session, ada: Person) -> None:
    session.commit()
    nothing = post(coach, ada, "/consent", consent="perhaps", words="", at="2999-01-01T10:00")
    assert nothing.status_code == 422
    for words in ("Choose what they said", "how you know", "not to come"):
        assert words in nothing.text
    form = {"consent": "stop", "words": f"On the phone: {EVIL}", "at": "2026-01-31T10:00"}
    assert post(coach, ada, "/consent", **form).status_code == 303
    event = session.scalars(select(ConsentEvent)).one()
    assert (event.source, event.value, event.occurred_at.hour) == ("coach", "stop", 10)
    assert event.operator_id is not None
    assert fresh(session, ada).marketing_opted_out_at == event.occurred_at
    page = coach.get(f"/people/{ada.id}").text
    assert "Coach" in page
    assert "<script>alert" not in page
    post(coach, ada, "/consent", consent="resume", words="By mail: yes", at="2026-02-01T10:00")
    assert fresh(session, ada).marketing_opted_out_at is None


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


def test_topics_are_kept_by_marketers_and_seen_by_all(signed_in: Callable[[Role], Visitor], session: Session) -> None:
    marketer, coach = signed_in(Role.MARKETER), signed_in(Role.COACH)
    marketer.get("/people/topics")
    assert marketer.post("/people/topics", {"name": "News", "description": "Once a week"}).status_code == 303
    again = marketer.post("/people/topics", {"name": "News"})
    assert again.status_code == 422
    assert "already" in again.text
    topic = topics.named(session, "live", "News")
    marketer.post(f"/people/topics/{topic.id}", {"description": "Twice a week"})
    marketer.post(f"/people/topics/{topic.id}/archive")
    seen = coach.get("/people/topics").text
    assert "Twice a week" in seen
    assert "archived" in seen
    assert coach.post("/people/topics", {"name": "Offers"}).status_code == 403
    assert "New topic" not in seen
    marketer.post(f"/people/topics/{topic.id}/restore")
    session.expire_all()
    assert topics.named(session, "live", "News").archived_at is None


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
