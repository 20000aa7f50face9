"""Conversations and wishes by day: each on the day it happened, on the workspace's clock, as the team's report says."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.conversations import report
from bot.conversations.figures import Asked
from bot.insights import comparing, conversations, wishes
from bot.insights.asking import Filter, Period, Question
from bot.models.conversation import Episode
from bot.models.person import ConsentEvent
from bot.people import merge
from tests import factories as make
from tests.insights.recount_talks import told
from tests.insights.test_blocks import anew, begin

CAIRO = ZoneInfo("Africa/Cairo")
MIDNIGHT = datetime(2026, 4, 24, tzinfo=CAIRO)
"""It never was: clocks went from 23:59:59 to 1."""
PERIOD = Period(MIDNIGHT.date() - timedelta(days=2), MIDNIGHT.date() + timedelta(days=1))
HOUR = timedelta(hours=1)


@pytest.fixture
def question(session: Session) -> Question:
    begin(session, "Africa/Cairo")
    number, other = make.make_number(session), make.make_number(session)
    operator = make.make_operator(session)
    for hours in range(-60, 30, 7):
        at = MIDNIGHT + hours * HOUR
        person = make.make_person(session)
        talk = make.make_conversation(session, person, number if hours % 2 else other, last_inbound_at=at)
        first = talk.episodes[0]
        first.first_reply_at, first.first_reply_operator_id = at + (hours % 5) * HOUR / 4, operator.id
        first.closed_at, first.closed_by_rule = at + 9 * HOUR, hours % 3 == 0
        first.closed_without_reply = hours % 2 == 0
        session.flush()
        session.add(Episode(conversation_id=talk.id, opened_at=at + 20 * HOUR, opened_by="coach"))
        for value, source in (("stop", "word"), ("stop", "webhook"), ("resume", "api")):
            session.add(
                ConsentEvent(
                    environment="live",
                    person_id=person.id,
                    category="marketing",
                    value=value,
                    source=source,
                    occurred_at=at,
                )
            )
    session.flush()
    return Question(session, PERIOD, Filter("live", number_id=number.id))


def test_conversations_are_what_the_team_s_report_says_of_each_day_and_of_all(
    session: Session, question: Question
) -> None:
    told = conversations.conversations(question)
    for row in told.rows:
        figures = report.compare(session, Asked("live", row.day, row.day, CAIRO, question.which.number_id))
        assert (row.opened, row.reopened, row.closed, row.closed_without_reply, row.closed_by_rule) == (
            figures.opened,
            figures.reopened,
            figures.closed,
            figures.closed_without_reply,
            figures.closed_by_rule,
        )
    asked = Asked("live", PERIOD.first, PERIOD.last, CAIRO, question.which.number_id)
    assert conversations.responses(question) == report.compare(session, asked).first_response
    assert sum(row.opened for row in told.rows) > sum(row.reopened for row in told.rows) > 0
    assert told.waiting == report.load(session, asked).waiting


def test_times_are_told_in_whole_seconds_and_long_ones_by_three_digits(session: Session) -> None:
    ends = [10**digits * 1_000_000 - 1 for digits in range(1, 8)]  # microseconds, the last of each number of digits
    times = [timedelta(microseconds=end + more) for end in ends for more in (0, 1, 4_567_890_123)]
    make.make_conversation(session, make.make_person(session), make.make_number(session))
    lasts = text("""
        UPDATE episode SET first_reply_at = opened_at + :took, closed_at = opened_at + :took
        RETURNING first_reply_s, closed_s, told_seconds(:took)
    """)
    for took in times:
        assert set(session.execute(lasts, {"took": took}).one()) == {told(took)}


def test_whoever_says_the_same_twice_on_a_day_counts_once(question: Question) -> None:
    days = [(MIDNIGHT + hours * HOUR).astimezone(CAIRO).date() for hours in range(-60, 30, 7)]
    assert [(row.day, row.opted_out, row.opted_in) for row in wishes.wishes(question)] == [
        (day, days.count(day), days.count(day)) for day in PERIOD
    ]


def test_two_threads_that_become_one_were_begun_once_and_lose_an_opening_that_was_open_twice(session: Session) -> None:
    kept = begin(session, "UTC")
    number = make.make_number(session)
    people = [make.make_person(session) for _ in range(2)]
    for person, hours in zip(people, (0, 30), strict=True):
        talk = make.make_conversation(session, person, number, last_inbound_at=MIDNIGHT + hours * HOUR)
        talk.episodes[0].closed_at = talk.episodes[0].opened_at + HOUR
        session.flush()
        session.add(Episode(conversation_id=talk.id, opened_at=MIDNIGHT + (hours + 2) * HOUR, opened_by="person"))
    session.flush()
    merge.merge(session, [person.id for person in people], "They are one.")
    told = conversations.conversations(Question(session, PERIOD, Filter("live")))
    assert sum(row.opened for row in told.rows) == 3
    assert sum(row.reopened for row in told.rows) == 2
    assert (told.open, told.closed) == (1, 0)
    assert list(comparing.differences(session, kept, anew(session, "UTC"))) == []
