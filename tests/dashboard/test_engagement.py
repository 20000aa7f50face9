"""A person's page: what became of the messages they were sent, and what they answered."""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from bot.goals import links
from bot.messages.compose import SWITCHED_OFF
from bot.models.connection import Number
from bot.models.goals import LinkClick
from bot.models.message import StatusEvent
from bot.models.person import Person
from bot.team.audit import COMMAND
from tests import factories as make
from tests.dashboard.profile import accepted
from tests.dashboard.visitor import Visitor

DASH = "\N{EN DASH}"


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
    link = links.create(session, ada.environment, "course", "https://example.org/course", COMMAND)
    looked_at = links.create(session, ada.environment, "other", "https://example.org/", COMMAND)
    for led, is_preview in ((link, False), (link, False), (looked_at, True)):
        click = {"environment": ada.environment, "person_id": ada.id, "at": at}
        session.add(LinkClick(link_id=led.id, is_preview=is_preview, **click))
    session.commit()
    page = admin.get(f"/people/{ada.id}").text
    expected = {
        "Sent": "1",
        "Delivered": "1",
        "Read": "1",
        "Clicked": "1",
        "Links followed": "1",
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
        'Hello <span class="variable">{{1}}</span>',
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
