"""The team's numbers: each thing counts once, on the day it happened where the team is."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.conversations import assigning, report
from bot.conversations.figures import Asked
from bot.models.connection import Number
from bot.models.conversation import Conversation, Episode
from bot.models.inbox import Assignment, ConversationLabel, Label
from bot.models.team import Operator
from tests import factories as make

VIENNA = ZoneInfo("Europe/Vienna")
DAY = date(2026, 3, 29)
"""Clocks go from 2 to 3 in the morning, so that it has 23 hours."""
NOON = datetime(2026, 3, 29, 12, tzinfo=VIENNA)

Add = Callable[..., Episode]


@pytest.fixture
def number(session: Session) -> Number:
    return make.make_number(session)


@pytest.fixture
def kim(session: Session) -> Operator:
    return make.make_operator(session, "coach")


@pytest.fixture
def add(session: Session, number: Number) -> Add:
    """An episode of a new conversation, or of `of`; times in minutes after `at`."""

    def add(
        at: datetime = NOON,
        answered: float | None = None,
        by: Operator | None = None,
        closed: float | None = None,
        of: Conversation | None = None,
        **columns: object,
    ) -> Episode:
        if of is None:
            of = make.make_conversation(session, make.make_person(session), number, state="closed")
            session.execute(update(Episode).where(Episode.conversation_id == of.id).values(opened_at=at, closed_at=at))
            (episode,) = of.episodes
            episode.closed_at = None
        else:
            episode = Episode(conversation_id=of.id, opened_by="person")
            session.add(episode)
        episode.opened_at = at
        if answered is not None:
            episode.first_reply_at, episode.first_reply_operator_id = (
                at + timedelta(minutes=answered),
                by.id if by else None,
            )
        if closed is not None:
            episode.closed_at, episode.closed_by_operator_id = at + timedelta(minutes=closed), by.id if by else None
            episode.closed_without_reply = answered is None
        for name, value in columns.items():
            setattr(episode, name, value)
        session.flush()
        return episode

    return add


def asked(first: date = DAY, last: date = DAY, **more: int) -> Asked:
    return Asked("live", first, last, VIENNA, **more)


def test_first_response_and_resolution_are_told_by_the_middle_and_by_nine_of_ten(
    session: Session, add: Add, kim: Operator
) -> None:
    for minutes in range(1, 12):
        add(answered=minutes, closed=10 * minutes, by=kim)
    found = report.load(session, asked()).figures
    assert (found.opened, found.first_response.count, found.closed, found.closed_without_reply) == (11, 11, 11, 0)
    assert (found.first_response.median, found.first_response.p90) == (6 * 60, 10 * 60)
    assert (found.resolution.median, found.resolution.p90) == (60 * 60, 100 * 60)


def test_a_day_begins_and_ends_at_the_team_s_midnight_though_clocks_change(session: Session, add: Add) -> None:
    first, after = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)
    second = timedelta(seconds=1)
    for at in (first - second, first, after - second, after):
        add(at)
    days = [report.compare(session, asked(DAY + timedelta(n), DAY + timedelta(n))).opened for n in (-1, 0, 1)]
    assert days == [1, 2, 1]
    earlier = asked(DAY, DAY + timedelta(days=6)).earlier()
    assert (earlier.first, earlier.last) == (date(2026, 3, 22), date(2026, 3, 28))
    assert earlier.bounds()[1] == asked().bounds()[0]


def test_what_the_rule_closed_is_in_no_other_figure_and_who_came_back_is_reopened(
    session: Session, add: Add, kim: Operator
) -> None:
    again = session.get_one(Conversation, add(closed=5, by=kim).conversation_id)
    add(closed=30, closed_by_rule=True)
    add(NOON + timedelta(hours=1), answered=2, of=again, opened_by="coach", opened_by_operator_id=kim.id, by=kim)
    found = report.load(session, asked()).figures
    assert (found.opened, found.reopened) == (3, 1)
    assert (found.closed, found.closed_by_rule, found.closed_without_reply) == (1, 1, 1)
    assert found.resolution.median == 5 * 60
    assert found.first_response.count == 0  # what a coach began is no response


def test_whoever_came_back_had_been_there_before_as_far_as_anybody_knows(session: Session, add: Add) -> None:
    first = add(closed=5)
    for hours in (1, 2):
        add(NOON + timedelta(hours=hours), closed=5, of=session.get_one(Conversation, first.conversation_id))
    assert report.compare(session, asked()).reopened == 2
    session.delete(first)
    session.flush()
    assert report.compare(session, asked()).reopened == 1


def test_each_coach_has_their_share_and_nobody_another_s(
    session: Session, add: Add, kim: Operator, number: Number
) -> None:
    lee = make.make_operator(session, "coach")
    add(answered=4, closed=9, by=kim)
    add(answered=1)  # in the phone app
    episode = add(answered=8, by=lee)
    theirs = session.get_one(Conversation, episode.conversation_id)
    theirs.state = "open"
    assigning.assign(session, theirs.id, lee.id, lee.id)
    assigning.assign(session, theirs.id, kim.id, lee.id)
    session.execute(update(Assignment).values(at=NOON))
    person = make.make_person(session)
    make.make_conversation(session, person, number)
    for kind in ("text", "text", "reaction"):
        sent = make.make_outbound(session, person, number, author_kind="coach", operator_id=lee.id, occurred_at=NOON)
        sent.kind = kind
    session.flush()
    told = {each.operator_id: each for each in report.load(session, asked()).coaches}
    shares = {
        each.operator_id: (each.replies, each.first_responses, each.closed, each.handed_over, each.assigned_now)
        for each in told.values()
    }
    assert shares == {kim.id: (0, 1, 1, 0, 1), lee.id: (2, 1, 0, 1, 0), None: (0, 1, 0, 0, 0)}
    assert told[kim.id].first_response_median == 4 * 60


def test_who_waits_now_is_told_whatever_the_days_and_a_label_or_number_narrows_all(
    session: Session, add: Add, number: Number
) -> None:
    waits = session.get_one(Conversation, add().conversation_id)
    waits.state, waits.waiting_since = "open", NOON
    add()
    label = Label(environment="live", name="Bill", colour="red")
    session.add(label)
    session.flush()
    session.add(ConversationLabel(conversation_id=waits.id, label_id=label.id))
    session.flush()
    found = report.load(session, asked(date(2020, 1, 1), date(2020, 1, 2)))
    assert (found.waiting, found.waiting_since, found.figures.opened) == (1, NOON, 0)
    assert report.load(session, asked(label_id=label.id)).figures.opened == 1
    assert report.load(session, asked(number_id=number.id)).figures.opened == 2
    assert report.load(session, asked(number_id=number.id + 1)).waiting == 0
