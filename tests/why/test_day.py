"""A day of somebody's: what came to them, and what was sent that day and did not."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from bot.journeys.reminding import WINDOW_CLOSED
from bot.messages.compose import Author, Draft, compose, text_content
from bot.models.connection import Number
from bot.models.journey import Reminder
from bot.models.person import Person
from bot.models.words import AuthorKind, Direction, MessageState
from bot.why import chains, days
from bot.why.days import Day
from bot.why.steps import Verdict
from tests import factories as make

CAIRO = ZoneInfo("Africa/Cairo")
DAY = date(2026, 5, 3)
NOON = datetime(2026, 5, 3, 12, tzinfo=CAIRO)


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


@pytest.fixture
def ada(session: Session) -> Person:
    return make.make_person(session)


def day_of(session: Session, person: Person, day: date = DAY) -> Day:
    session.flush()
    session.expire_all()
    return days.of_day(session, person, day, CAIRO)


def make_reminder(session: Session, number: Number, **columns: object) -> Reminder:
    columns = {"name": "wake up", "text": "hi", "due_at": NOON, "state": "scheduled"} | columns
    reminder = Reminder(environment="live", number_id=number.id, **columns)
    session.add(reminder)
    session.flush()
    return reminder


def test_a_day_begins_and_ends_where_people_live(session: Session, number: Number, ada: Person) -> None:
    for hour in (-1, 0, 23, 24):
        at = datetime(2026, 5, 3, tzinfo=CAIRO) + timedelta(hours=hour)
        make.make_outbound(session, ada, number, state="accepted", occurred_at=at, accepted_at=at)
    found = day_of(session, ada)
    assert [chain.at and chain.at.astimezone(CAIRO).hour for chain in found.made] == [0, 23]
    assert (found.before, found.after) == (
        datetime(2026, 5, 2, 23, tzinfo=CAIRO),
        datetime(2026, 5, 4, 0, tzinfo=CAIRO),
    )


def test_on_an_empty_day_nothing_was_ever_planned(session: Session, number: Number, ada: Person) -> None:
    found = day_of(session, ada)
    assert (found.made, found.missing, found.before, found.after) == ([], [], None, None)


def test_broadcasts_of_the_day_that_passed_them_by_are_there_with_the_reason(
    session: Session, number: Number, ada: Person
) -> None:
    template = make.make_template(session, number.connection)
    others = make.make_segment(session, [make.make_person(session)], name="others")
    theirs = make.make_segment(session, [ada], name="theirs")
    for segment, launched in ((others, NOON), (theirs, NOON), (theirs, NOON - timedelta(days=1))):
        make.make_broadcast(session, number, segment, template, state="finished", launched_at=launched)
    elsewhere = make.make_number(session, environment="test")
    test_segment = make.make_segment(session, environment="test")
    make.make_broadcast(session, elsewhere, test_segment, template, state="finished", launched_at=NOON)
    found = day_of(session, ada)
    assert [chain.last.key for chain in found.missing if chain.last] == ["audience", "segment"]
    assert [chain.told.split(". ")[0] for chain in found.missing] == ["Nothing was ever planned for them"] * 2


@pytest.mark.parametrize(
    "state, key, verdict",
    [
        ("scheduled", "still to come", Verdict.WAITING),
        ("cancelled", "cancelled before its time", Verdict.STOPPED),
        ("missed", "clock was not running", Verdict.STOPPED),
        ("fired", "not in its segment", Verdict.STOPPED),
    ],
)
def test_a_reminder_of_theirs_that_did_not_come_says_why(
    session: Session, number: Number, ada: Person, state: str, key: str, verdict: Verdict
) -> None:
    segment = make.make_segment(session, [ada])
    make_reminder(session, number, segment_id=segment.id, state=state)
    make_reminder(session, number, person_id=make.make_person(session).id)
    [chain] = day_of(session, ada).missing
    assert (chain.title, chain.verdict) == ("Reminder · wake up", verdict)
    assert key in chain.told


def test_a_reminder_that_was_kept_back_is_a_message_with_its_steps(
    session: Session, number: Number, ada: Person
) -> None:
    reminder = make_reminder(session, number, person_id=ada.id, state="fired")
    author = Author(AuthorKind.REMINDER, reminder.id)
    refusals = [WINDOW_CLOSED, "nothing known for office.no", "this person has asked to be forgotten"]
    drafts = [Draft(ada.id, "text", text_content("hi"), "hi", refusal=refusal) for refusal in refusals]
    ids = compose(session, number, author, drafts)
    session.expire_all()
    ends = [chains.of_message(session, ada, id_).last for id_ in ids]
    assert [end.key for end in ends if end] == ["window", "values", "values"]
    today = days.of_day(session, ada, datetime.now(CAIRO).date(), CAIRO)
    assert [chain.title for chain in today.made] == ["Reminder · wake up"] * 3
    assert all(chain.told.startswith("It was made and not sent.") for chain in today.made)


def test_free_text_within_the_window_shows_the_message_it_counts_from(
    session: Session, number: Number, ada: Person
) -> None:
    heard = make.make_inbound(session, ada, number, occurred_at=NOON - timedelta(hours=3))
    sent = make.make_outbound(session, ada, number, state="accepted", occurred_at=NOON, accepted_at=NOON, attempt=1)
    [step] = [step for step in chains.of_message(session, ada, sent.id).steps if step.key == "window"]
    assert step.verdict is Verdict.PASSED
    assert [row.row for row in step.evidence] == [f"message {heard.id}"]


def test_what_was_written_in_the_phone_app_was_never_in_the_outbox(
    session: Session, number: Number, ada: Person
) -> None:
    sent = make.make_outbound(
        session, ada, number, author_kind=AuthorKind.APP, state=MessageState.ACCEPTED, evidence="echo",
        accepted_at=NOON, occurred_at=NOON,
    )  # fmt: skip
    keys = [step.key for step in chains.of_message(session, ada, sent.id).steps]
    assert not {"queued", "claimed", "wire"} & set(keys)
    assert keys[-2:] == ["answer", "reports"]


def test_the_messages_of_others_and_what_they_wrote_themselves_are_not_asked_about(
    session: Session, number: Number, ada: Person
) -> None:
    foreign = make.make_outbound(session, make.make_person(session), number)
    own = make.make_inbound(session, ada, number, occurred_at=datetime.now(UTC))
    assert own.direction == Direction.IN
    for message in (foreign, own):
        with pytest.raises(chains.WhyError, match="no message"):
            chains.of_message(session, ada, message.id)
