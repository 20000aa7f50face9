"""What comes late about somebody who was erased makes nobody; what they write afterwards is a new person's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.api.refusals import RefusalError
from bot.api.requests import read_message
from bot.api.sending import send
from bot.messages import callback
from bot.messages.compose import ERASED, Author, Draft, compose, compose_audience
from bot.models.message import Message
from bot.models.person import Person
from bot.models.words import AuthorKind
from bot.people import consent, ledger, suppressions
from bot.people.consent import Word
from bot.providers.events import (
    Echo,
    Event,
    IdentityChange,
    InboundMessage,
    MessageEdit,
    PreferenceChange,
    Sender,
    StatusUpdate,
)
from tests import factories as make
from tests.erasure.conftest import DIGITS, PHONE, Story
from webhooks import apply
from webhooks.apply import Item

ADA = Sender(phone=DIGITS, user_id="EG.ada-user-id", name="Ada Lovelace")
BEFORE = datetime.now(UTC) - timedelta(minutes=10)

TABLES = ("person", "address", "message", "status_event", "message_change", "reaction", "conversation", "consent_event")


def size(session: Session) -> dict[str, Any]:
    connection = session.connection()
    return {table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() for table in TABLES}


def after() -> datetime:
    """Later than the erasure, and not so far ahead that the provider's clock would not be believed."""
    return datetime.now(UTC) + timedelta(minutes=4)


def tell(story: Story, event: Event) -> None:
    apply.apply(story.session, [Item(1, story.number.connection_id, event)])
    story.session.commit()


def status(id_: str, **more: Any) -> StatusUpdate:
    return StatusUpdate("", "", id_, "read", after(), recipient=DIGITS, **more)


def said(at: datetime, id_: str = "in.new", body: str = "hello again") -> InboundMessage:
    return InboundMessage("", "", id_, ADA, "text", body, {"type": "text", "text": {"body": body}}, at)


LATE: dict[str, Callable[[Story], Event]] = {
    "a report of a message of theirs": lambda _: status("wamid.Ada.out"),
    "a report with our mark": lambda story: status("wamid.unheard", callback=marked(story)),
    "a report of a message nobody knows": lambda _: status("wamid.nobody"),
    "a report by user id": lambda _: StatusUpdate("", "", "wamid.x", "read", after(), recipient="EG.ada-user-id"),
    "a message redelivered": lambda _: said(after(), "wamid.Ada.in"),
    "a message from before, never seen": lambda _: said(BEFORE, "wamid.lost"),
    "an edit of a message of theirs": lambda _: MessageEdit(
        "", "", "edit.1", ADA, "wamid.Ada.in", "text", "my other knee", {}, after()
    ),
    "an echo": lambda _: Echo("", "", "echo.1", ADA, "app", "text", "Dear Ada", {}, after()),
    "a move to another number": lambda _: IdentityChange("", "", "move.1", ADA, "201055555555", None, None, after()),
    "a stop": lambda _: PreferenceChange("", "", ADA, "marketing_messages", "stop", None, after()),
}


def marked(story: Story) -> str:
    waits = story.ask("SELECT id FROM message WHERE person_id = :id AND body = 'waits'", id=story.ada.id)
    return callback.token(waits or 0, 1)


@pytest.mark.parametrize("what", LATE)
def test_what_is_late_makes_nothing(story: Story, what: str) -> None:
    story.session.execute(update(Message).where(Message.body == "waits").values(attempt=1))
    event = LATE[what](story)
    story.erase()
    before = size(story.session)

    tell(story, event)

    assert size(story.session) == before
    assert story.found() == []


def test_a_report_about_somebody_else_still_counts(story: Story) -> None:
    story.erase()

    tell(story, StatusUpdate("", "", "wamid.Bob.out", "read", after(), recipient="201099999999"))

    assert story.ask("SELECT delivery_level FROM message WHERE provider_message_id = 'wamid.Bob.out'") == 3


@pytest.fixture
def returned(story: Story) -> Person:
    """Ada has written again, of her own accord."""
    story.erase()
    tell(story, said(after()))
    return story.session.scalars(select(Person).order_by(Person.id.desc()).limit(1)).one()


def test_whoever_writes_again_is_a_new_person_who_may_be_answered(story: Story, returned: Person) -> None:
    assert returned.id != story.ada.id
    assert (returned.answers_only, returned.enabled) == (True, True)

    coach = make.make_operator(story.session)
    [answer] = compose(
        story.session, story.number, Author(AuthorKind.COACH, coach.id), [Draft(returned.id, "text", {})]
    )

    assert story.session.get_one(Message, answer).state == "queued"


def test_reports_of_the_answer_to_them_count(story: Story, returned: Person) -> None:
    sent = make.make_outbound(
        story.session, returned, story.number, state="accepted", provider_message_id="wamid.new", to_address=PHONE
    )
    tell(story, status("wamid.new"))
    tell(story, status("wamid.not.recorded.yet"))

    story.session.refresh(sent)
    assert sent.delivery_level == 3
    assert story.ask("SELECT count(*) FROM status_event WHERE message_id IS NULL") == 1


def test_they_get_no_broadcast_and_no_template_until_they_opt_in(story: Story, returned: Person) -> None:
    assert sent_to(story, returned) == ("suppressed", ERASED)
    assert suppressions.suppressed(story.session, "live", [("phone", PHONE)])

    consent.tell(story.session, [Word(returned.id, "marketing", "resume", "coach", after())])

    story.session.refresh(returned)
    assert not returned.answers_only
    assert sent_to(story, returned) == ("queued", None)
    assert not suppressions.suppressed(story.session, "live", [("phone", PHONE)])
    assert [line.key == "" for line in ledger.read(story.rt.settings.erasure_ledger)] == [False, True]


def test_a_stop_of_theirs_is_no_opting_in(story: Story, returned: Person) -> None:
    consent.tell(story.session, [Word(returned.id, "marketing", "stop", "webhook", after())])

    story.session.refresh(returned)
    assert returned.answers_only


def sent_to(story: Story, person: Person) -> tuple[str, str | None]:
    segment = make.make_segment(story.session, [person])
    template = make.make_template(story.session, story.number.connection)
    broadcast = make.make_broadcast(story.session, story.number, segment, template)
    broadcast.frozen_template = {"category": "UTILITY"}
    compose_audience(story.session, broadcast, story.number, select(Person.id).where(Person.id == person.id))
    row = story.session.execute(
        select(Message.state, Message.error_text).where(Message.broadcast_id == broadcast.id)
    ).one()
    return row.state, row.error_text


@pytest.mark.parametrize("phone", [PHONE, "+20 109 876 5012"])
def test_a_program_cannot_write_to_them_first(story: Story, phone: str) -> None:
    token = make.make_token(story.session)
    story.erase()
    before = size(story.session)
    body = f'{{"to": "{phone}", "number": "{story.number.phone}", "text": "hello"}}'.encode()

    with pytest.raises(RefusalError) as refusal:
        send(story.session, token, read_message(body), None, datetime.now(UTC))

    assert (refusal.value.status, refusal.value.code) == (409, "erased")
    assert size(story.session) == before
