import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from bot.journeys import jobs, reminders
from bot.journeys.reminders import ReminderError, Wanted
from bot.journeys.reminding import WINDOW_CLOSED
from bot.messages.compose import OPTED_OUT, SWITCHED_OFF
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.journey import Reminder
from bot.models.message import Message
from bot.models.person import Address, Person
from bot.models.words import AuthorKind, MessageState, ReminderState
from bot.runtime import Runtime
from tests.factories import make_number, make_person, make_segment, make_template

SOON = timedelta(minutes=5)


@pytest.fixture
def number(session: Session) -> Number:
    return make_number(session)


def wrote(session: Session, number: Number, person: Person, ago: timedelta = timedelta(hours=1)) -> None:
    """The person wrote some time ago, so that the 24-hour window is open, or is not any more."""
    at = datetime.now(UTC) - ago
    session.add(
        Conversation(
            environment=number.environment,
            person_id=person.id,
            number_id=number.id,
            state="open",
            last_message_at=at,
            last_inbound_at=at,
        )
    )
    session.flush()


def wanted(**more: Any) -> Wanted:
    given: dict[str, Any] = {"name": "Visit", "due_at": datetime.now(UTC) + SOON}
    return Wanted(**(given | more))


def text_for(person: Person, said: str = "See you, <<user.first_name>>!") -> Wanted:
    return wanted(person_id=person.id, text=said)


def let_pass(session: Session, late: timedelta = timedelta(0)) -> None:
    """Make everything due, `late` ago."""
    session.execute(update(Reminder).values(due_at=func.now() - late))


def messages(session: Session) -> list[Message]:
    return list(session.scalars(select(Message).order_by(Message.id)))


def state_of(session: Session, reminder: Reminder) -> str:
    session.refresh(reminder)
    return reminder.state


def test_a_reminder_waits_for_its_time_and_is_sent_once(session: Session, number: Number) -> None:
    ada = make_person(session)
    wrote(session, number, ada)
    reminder = reminders.add(session, number, text_for(ada))
    assert reminders.fire_due(session) == 0
    let_pass(session)
    assert [reminders.fire_due(session), reminders.fire_due(session)] == [1, 0]
    [message] = messages(session)
    assert (message.author_kind, message.reminder_id) == (AuthorKind.REMINDER, reminder.id)
    assert (message.source_key, message.state) == (f"r:{reminder.id}:{ada.id}", MessageState.QUEUED)
    assert message.body == "See you, Ada!"
    assert state_of(session, reminder) == ReminderState.FIRED
    assert reminder.fired_at is not None


def test_a_reminder_for_a_segment_reaches_each_of_its_people(session: Session, number: Number) -> None:
    people = [make_person(session, first_name=name) for name in ("Ada", "Eve")]
    for person in people:
        wrote(session, number, person)
    segment = make_segment(session, people)
    make_person(session)
    reminders.add(session, number, wanted(segment_id=segment.id, text="Hi <<user.first_name>>"))
    let_pass(session)
    assert reminders.fire_due(session) == 2
    assert [(message.person_id, message.body) for message in messages(session)] == [
        (people[0].id, "Hi Ada"),
        (people[1].id, "Hi Eve"),
    ]


def test_a_template_goes_out_whether_or_not_the_window_is_open(session: Session, number: Number) -> None:
    ada = make_person(session)
    template = make_template(session, number.connection)
    slots = {"body.1": "<<user.first_name>>"}
    reminders.add(session, number, wanted(person_id=ada.id, template_id=template.id, slots=slots))
    let_pass(session)
    assert reminders.fire_due(session) == 1
    [message] = messages(session)
    assert (message.state, message.body, message.kind) == (MessageState.QUEUED, "Hello Ada", "template")
    assert message.content is not None
    assert message.content["template"]["name"] == template.name


@pytest.mark.parametrize("ago", [timedelta(hours=25), None])
def test_a_text_outside_the_window_is_not_sent_and_the_row_says_why(
    session: Session, number: Number, ago: timedelta | None
) -> None:
    """Case 82."""
    ada = make_person(session)
    if ago:
        wrote(session, number, ada, ago)
    reminder = reminders.add(session, number, text_for(ada))
    let_pass(session)
    reminders.fire_due(session)
    [message] = messages(session)
    assert (message.state, message.error_text) == (MessageState.SUPPRESSED, WINDOW_CLOSED)
    assert state_of(session, reminder) == ReminderState.FIRED


def test_somebody_switched_off_or_opted_out_or_unknown_gets_nothing(session: Session, number: Number) -> None:
    off = make_person(session, enabled=False)
    out = make_person(session, marketing_opted_out_at=datetime.now(UTC))
    nameless = make_person(session, first_name=None)
    offer = make_template(session, number.connection, category="MARKETING")
    slots = {"body.1": "<<user.first_name>>"}
    for person in (off, out, nameless):
        reminders.add(session, number, wanted(person_id=person.id, template_id=offer.id, slots=slots))
    let_pass(session)
    reminders.fire_due(session)
    assert [(message.person_id, message.state, message.error_text) for message in messages(session)] == [
        (off.id, MessageState.SUPPRESSED, SWITCHED_OFF),
        (out.id, MessageState.SUPPRESSED, OPTED_OUT),
        (nameless.id, MessageState.SUPPRESSED, "nothing known for first_name"),
    ]


def test_a_clock_that_was_down_sends_what_is_an_hour_late_and_lists_the_rest_as_missed(
    session: Session, number: Number
) -> None:
    """Case 79: sent and missed together are what was due."""
    ada = make_person(session)
    wrote(session, number, ada)
    sent, missed = (reminders.add(session, number, text_for(ada)) for _ in range(2))
    let_pass(session, timedelta(minutes=59))
    session.execute(update(Reminder).where(Reminder.id == missed.id).values(due_at=func.now() - timedelta(hours=3)))
    assert reminders.fire_due(session) == 1
    assert [state_of(session, sent), state_of(session, missed)] == [ReminderState.FIRED, ReminderState.MISSED]
    assert missed.fired_at is None


def test_a_cancelled_reminder_is_not_sent_and_a_fired_one_cannot_be_cancelled(session: Session, number: Number) -> None:
    ada = make_person(session)
    wrote(session, number, ada)
    reminder, other = (reminders.add(session, number, text_for(ada)) for _ in range(2))
    assert [reminders.cancel(session, reminder.id), reminders.cancel(session, reminder.id)] == [True, False]
    let_pass(session)
    assert reminders.fire_due(session) == 1
    assert state_of(session, reminder) == ReminderState.CANCELLED
    assert not reminders.cancel(session, other.id)


def test_the_time_is_kept_as_utc_whatever_zone_it_was_told_in(session: Session, number: Number) -> None:
    at = datetime(2099, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=2)))
    ada = make_person(session)
    reminder = reminders.add(session, number, wanted(person_id=ada.id, text="Hi", due_at=at))
    session.refresh(reminder)
    assert reminder.due_at == datetime(2099, 3, 1, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "more,problem",
    [
        ({"name": " "}, "has no name"),
        ({"due_at": datetime(2099, 1, 1)}, "no zone"),  # noqa: DTZ001 - that is the mistake
        ({"due_at": datetime(2020, 1, 1, tzinfo=UTC)}, "is past"),
        ({"person_id": None}, "one person or one segment"),
        ({"segment_id": 1}, "one person or one segment"),
        ({"person_id": 10**9}, "There is no person"),
        ({"text": None}, "a text or a template"),
        ({"text": " "}, "blank"),
        ({"text": "<<first_name>>"}, "<<user.first_name>>"),
        ({"slots": {"body.1": "x"}}, "Slots belong to a template"),
        ({"text": None, "template_id": 10**9}, "no such template"),
    ],
)
def test_a_reminder_that_could_not_be_kept_is_refused_with_the_remedy(
    session: Session, number: Number, more: dict[str, Any], problem: str
) -> None:
    ada = make_person(session)
    with pytest.raises(ReminderError, match=problem):
        reminders.add(session, number, wanted(**({"person_id": ada.id, "text": "Hi"} | more)))


def test_a_reminder_stays_within_its_environment_and_account(session: Session, number: Number) -> None:
    tester = make_person(session, environment="test")
    with pytest.raises(ReminderError, match="person is test, the number live"):
        reminders.add(session, number, text_for(tester))
    ada = make_person(session)
    foreign = make_template(session, make_number(session).connection)
    paused = make_template(session, number.connection, status="PAUSED")
    good = make_template(session, number.connection)
    for template, problem in ((foreign, "no such template"), (paused, "is paused"), (good, "body.1")):
        with pytest.raises(ReminderError, match=problem):
            reminders.add(session, number, wanted(person_id=ada.id, template_id=template.id))


def test_two_clocks_fire_ten_thousand_reminders_of_one_second_once_each(live_rt: Runtime) -> None:
    """Case 77."""
    count = 10_000
    with live_rt.transaction() as session:
        number = make_number(session)
        _ten_thousand(session, number, count)
    gate = threading.Barrier(2)
    composed = []

    def clock() -> None:
        gate.wait()
        while some := jobs._fire_some(live_rt):
            composed.append(some)

    began = time.monotonic()
    clocks = [threading.Thread(target=clock) for _ in range(2)]
    for each in clocks:
        each.start()
    for each in clocks:
        each.join()
    assert time.monotonic() - began < 60
    assert sum(composed) == count
    with live_rt.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == count
        assert session.scalar(select(func.count(Message.reminder_id.distinct()))) == count
        states = select(Reminder.state, func.count()).group_by(Reminder.state)
        assert [tuple(row) for row in session.execute(states)] == [(ReminderState.FIRED, count)]
        assert set(session.scalars(select(Message.state))) == {MessageState.QUEUED}


def test_a_clock_that_dies_before_its_commit_leaves_everything_to_the_next(live_rt: Runtime) -> None:
    """Case 78: the messages and the state of the reminder are one transaction."""
    with live_rt.transaction() as session:
        number = make_number(session)
        _ten_thousand(session, number, 10)
    with live_rt.sessions() as session:
        assert reminders.fire_due(session) == 10
        session.rollback()
    jobs.fire_reminders(live_rt)
    with live_rt.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 10


def _ten_thousand(session: Session, number: Number, count: int) -> None:
    rows = [
        {"environment": "live", "distinct_id": f"p{index}", "first_name": f"N{index}", "attributes": {}}
        for index in range(count)
    ]
    people = session.scalars(insert(Person).returning(Person.id), rows).all()
    session.execute(
        insert(Address),
        [
            {"environment": "live", "person_id": id_, "kind": "phone", "value": f"+2010{index:08d}"}
            for index, id_ in enumerate(people)
        ],
    )
    session.execute(
        text(
            "INSERT INTO conversation (environment, person_id, number_id, state, last_message_at, last_inbound_at)"
            " SELECT 'live', id, :number_id, 'open', now(), now() FROM person"
        ),
        {"number_id": number.id},
    )
    session.execute(
        text(
            "INSERT INTO reminder (environment, name, number_id, person_id, text, due_at, state)"
            " SELECT 'live', 'Visit', :number_id, id, 'Hi <<user.first_name>>', now(), 'scheduled' FROM person"
        ),
        {"number_id": number.id},
    )
