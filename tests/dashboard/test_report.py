"""The team's numbers as a page, a file and an answer for programs: the same, for whoever may see whom."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.conversation import Conversation, Episode
from bot.models.team import Operator
from bot.models.words import Role
from tests.dashboard.visitor import Visitor
from tests.factories import make_operator


@pytest.fixture
def answered(session: Session, conversation: Conversation) -> Operator:
    """Lee answered Ada after three minutes."""
    lee = make_operator(session, Role.COACH)
    episode = session.scalars(select(Episode)).one()
    episode.first_reply_at, episode.first_reply_operator_id = episode.opened_at + timedelta(minutes=3), lee.id
    session.commit()
    return lee


def test_page_and_file_tell_the_same(admin: Visitor, answered: Operator) -> None:
    page = admin.get("/inbox/report").text
    assert "3 min" in page
    assert answered.name in page
    rows = list(csv.reader(admin.get("/inbox/report.csv").text.lstrip("\ufeff").splitlines()))
    assert ["", "first_response_median", "180.0", "seconds", ""] in rows
    assert [answered.name, "first_responses", "1", "conversations", ""] in rows


def test_a_coach_sees_the_team_s_numbers_and_of_coaches_their_own(
    coach: Visitor, signed_in: Callable[[Role], Visitor], answered: Operator
) -> None:
    for path in ("/inbox/report", "/inbox/report.csv"):
        text = coach.get(path).text
        assert answered.name not in text
        assert "Coach" in text
    assert signed_in(Role.MARKETER).get("/inbox/report").status_code == 403


@pytest.mark.parametrize(
    "query", ["since=2030-02-30", "since=x&until=y", "until=0001-01-01", "number=0", "against=z", "label=x"]
)
def test_days_that_cannot_be_understood_are_left_out(admin: Visitor, answered: Operator, query: str) -> None:
    assert "3 min" in admin.get(f"/inbox/report?{query}").text


def test_days_the_wrong_way_round_are_said_to_be(admin: Visitor, answered: Operator) -> None:
    page = admin.get(f"/inbox/report?since={datetime.now(UTC):%Y-%m-%d}&until=2020-01-01").text
    assert "the first is not after the last" in page
