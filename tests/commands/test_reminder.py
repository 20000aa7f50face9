"""Reminders from a terminal."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.journey import Reminder
from bot.runtime import Runtime
from tests import factories
from tests.commands.conftest import Backchat, told

LIVE = ("--environment", "live")
SOON = ("--at", "2090-03-01T09:00:00+02:00")
TEXT = ("--text", "Good morning <<user.first_name>>")


@pytest.fixture
def number(session: Session) -> Number:
    return factories.make_number(session)


@pytest.mark.usefixtures("number")
def test_a_reminder_to_a_person_is_written_down_listed_and_taken_back(backchat: Backchat, session: Session) -> None:
    person = factories.make_person(session, phone="+4930901820", distinct_id="ada")
    coach = factories.make_operator(session)
    words = ("--phone", "+49 30 901820", "--as", coach.email)
    made = told(backchat("reminder", "add", "wake up", *LIVE, *SOON, *TEXT, *words, "--json"))
    kept = session.scalars(select(Reminder)).one()
    assert (kept.person_id, kept.created_by_operator_id) == (person.id, coach.id)
    assert kept.due_at == datetime(2090, 3, 1, 7, tzinfo=UTC)
    [row] = told(backchat("reminder", "list", "--json"))
    assert (row["person"], row["segment"], row["state"]) == ("ada", None, "scheduled")
    assert backchat("reminder", "cancel", str(made["id"])).exit_code == 0
    assert told(backchat("reminder", "list", "--json")) == []
    assert backchat("reminder", "cancel", str(made["id"])).exit_code == 1


def test_a_reminder_to_a_segment_may_send_a_template(backchat: Backchat, session: Session, number: Number) -> None:
    segment = factories.make_segment(session, [factories.make_person(session)], name="course")
    template = factories.make_template(session, number.connection, name="course_starts")
    words = ("--segment", "course", "--template", "course_starts", "--slot", "body.1=<<user.first_name>>")
    assert backchat("reminder", "add", "course", *LIVE, *SOON, *words).exit_code == 0
    kept = session.scalars(select(Reminder)).one()
    assert (kept.segment_id, kept.template_id) == (segment.id, template.id)


@pytest.mark.usefixtures("number")
@pytest.mark.parametrize(
    "words, exit_code, said",
    [
        ((*SOON, *TEXT), 1, "for one person or one segment"),
        ((*SOON, *TEXT, "--distinct-id", "nobody"), 1, "Nobody in live is known as nobody"),
        ((*SOON, *TEXT, "--phone", "030 901820"), 1, "cannot be used because"),
        ((*SOON, *TEXT, "--phone", "+4930901820", "--distinct-id", "x"), 2, "not by both"),
        ((*SOON, *TEXT, "--segment", "course"), 1, "no segment 'course' in live"),
        ((*SOON, "--segment", "all", "--template", "none"), 1, "no template 'none'"),
        ((*SOON, "--segment", "all", "--text", "Hi <<user.__class__>>"), 1, "<<user.__class__>>"),
        ((*SOON, "--segment", "all", *TEXT, "--slot", "body.1"), 2, "must be SLOT=TEXT"),
        (("--at", "tomorrow", *TEXT, "--segment", "all"), 1, "'tomorrow' is not a time"),
        (("--at", "2000-01-01T00:00:00Z", *TEXT, "--segment", "all"), 1, "The time is past"),
    ],
)
def test_a_reminder_that_cannot_be_kept_is_refused_with_the_remedy(
    backchat: Backchat, session: Session, words: tuple[str, ...], exit_code: int, said: str
) -> None:
    factories.make_segment(session, name="all")
    refused = backchat("reminder", "add", "x", *LIVE, *words)
    assert (refused.exit_code, refused.stdout) == (exit_code, "")
    assert said in " ".join(refused.stderr.split())
    assert session.scalars(select(Reminder)).all() == []


@pytest.mark.usefixtures("number")
def test_a_time_without_zone_is_told_in_the_houses_own(backchat: Backchat, rt: Runtime, session: Session) -> None:
    factories.make_segment(session, name="all")
    object.__setattr__(rt.settings, "time_zone", "Europe/Berlin")
    words = ("--segment", "all", *TEXT)
    assert backchat("reminder", "add", "x", *LIVE, "--at", "2090-07-01T09:00", *words).exit_code == 0
    assert session.scalars(select(Reminder)).one().due_at == datetime(2090, 7, 1, 7, tzinfo=UTC)
    refused = backchat("reminder", "add", "x", *LIVE, "--at", "2027-03-28T02:30", *words)
    assert "clocks are put forward" in refused.stderr
