"""Every block equals a plain recount of all messages, whatever happened to them, in whatever order, in any zone."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from bot.conversations import report
from bot.conversations.figures import Asked
from bot.insights import active, authors, comparing, conversations, filling, folding, generations, volume, wishes
from bot.insights.asking import Filter, InsightError, NotCountedYetError, Period, Question
from tests import factories as make
from tests.harness.sizes import sizes
from tests.insights.history import BEGIN, History, deeds
from tests.insights.recount import Recount
from tests.insights.recount_talks import Talks, at_share

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Africa/Cairo", "Pacific/Apia")
WHOLE = Period(BEGIN.date() - timedelta(days=1), BEGIN.date() + timedelta(days=9))
periods = st.tuples(st.integers(-1, 7), st.integers(0, 7)).map(
    lambda t: Period(BEGIN.date() + timedelta(days=t[0]), BEGIN.date() + timedelta(days=t[0] + t[1]))
)


def begin(session: Session, zone: str) -> int:
    """A generation that is right for everybody, now and from now on."""
    made = anew(session, zone)
    generations.put_in_place(session, made)
    return made


def anew(session: Session, zone: str) -> int:
    made = generations.begin(session, zone)
    while not filling.fill(session, made, 2):
        pass
    filling.finish(session, made.id)
    return made.id


@pytest.mark.parametrize("examples", sizes(5, 40, 200))
def test_every_block_is_what_a_recount_of_all_messages_says(session: Session, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        with session.begin_nested() as savepoint:
            history, zone = History(session), data.draw(st.sampled_from(ZONES))
            earlier, later = data.draw(deeds), data.draw(deeds)
            for deed in earlier:
                history.do(deed, data.draw)
            kept = begin(session, zone)
            for deed in later:
                history.do(deed, data.draw)
            compare(session, history, zone, data)
            assert list(comparing.differences(session, kept, anew(session, zone))) == []
            savepoint.rollback()
        session.expunge_all()

    check()


def compare(session: Session, history: History, zone: str, data: st.DataObject) -> None:
    period = data.draw(periods)
    here = [p for p in history.people if p.id not in history.gone | history.erased and p.environment == "live"]
    members = here[:2]
    segment = make.make_segment(session, members)
    for which in (
        Filter("live"),
        Filter("live", number_id=history.numbers[0].id),
        Filter("test"),
        Filter("live", segment_id=segment.id),
    ):
        ids = {person.id for person in members} if which.segment_id else None
        for days in (WHOLE, period):
            recount = Recount(history.messages(), ZoneInfo(zone), days, which, ids, history.replied())
            equals(session, recount, history)
            talks = Talks(session, recount)
            agrees(Question(session, days, which), talks)
            if ids is None:
                reports(session, Asked(which.environment, days.first, days.last, recount.zone, which.number_id), talks)


def equals(session: Session, recount: Recount, history: History) -> None:
    question = Question(session, recount.period, recount.which)
    people, bars = recount.active()
    told = active.active(question)
    assert (told.people, {row.day: (row.people, row.new) for row in told.rows}) == (people, bars)
    assert {row.day: (row.received, row.sent) for row in volume.volume(question).rows} == recount.volume()
    clock = {(row.weekday, row.hour): (row.received, row.sent) for row in volume.hours(question)}
    assert {place: counts for place, counts in clock.items() if any(counts)} == recount.hours()
    found = {
        (author.kind, author.author_id): counts(author.fate)
        for kind in authors.kinds(question)
        for author in authors.authors(question, kind.kind)
    }
    assert found == recount.authors()
    if not history.gone | history.erased:
        assert {row.country: row.people for row in active.countries(question)} == recount.countries(session)


def agrees(question: Question, talks: Talks) -> None:
    told = conversations.conversations(question)
    assert (told.open, told.closed, told.waiting) == talks.standing()
    days = {row.day: {name: many for name in conversations.COUNTS if (many := getattr(row, name))} for row in told.rows}
    assert days == talks.by_day()
    took = talks.answers()
    spread = conversations.responses(question)
    assert (spread.count, spread.median, spread.p90) == (len(took), at_share(took, 0.5), at_share(took, 0.9))
    assert [step.count for step in conversations.response_steps(question)] == talks.steps()
    assert {row.day: (row.opted_out, row.opted_in) for row in wishes.wishes(question)} == talks.wishes()


def reports(session: Session, asked: Asked, talks: Talks) -> None:
    told = report.load(session, asked)
    assert told.figures == talks.figures()
    shares = {
        each.operator_id: share
        for each in told.coaches
        if any(share := (each.replies, each.first_responses, each.first_response_median, each.closed))
    }
    assert shares == talks.shares()


def counts(fate: volume.Fate) -> dict[str, int]:
    return {name: getattr(fate, name) for name in volume.FATE if getattr(fate, name)}


def test_nothing_is_told_before_everything_was_counted_once(session: Session) -> None:
    with pytest.raises(NotCountedYetError, match="counted for the first time"):
        Question(session, Period(BEGIN.date(), BEGIN.date()), Filter("live"))


def test_somebody_active_on_seven_days_is_seven_in_the_bars_and_one_person(session: Session) -> None:
    begin(session, "UTC")
    number, ada = make.make_number(session), make.make_person(session)
    for day in range(7):
        make.make_inbound(session, ada, number, occurred_at=BEGIN + timedelta(days=day))
    told = active.active(Question(session, Period(BEGIN.date(), BEGIN.date() + timedelta(days=6)), Filter("live")))
    assert (told.people, sum(row.people for row in told.rows), told.new) == (1, 7, 1)


def test_people_are_exact_for_any_period_however_it_lies_in_weeks(session: Session) -> None:
    begin(session, "UTC")
    number = make.make_number(session)
    days = [BEGIN.date() + timedelta(days=day) for day in range(12)]
    wrote = [{days[n], days[(5 * n + 3) % 12], days[(7 * n + 9) % 12]} for n in range(12)]
    for own in wrote:
        person = make.make_person(session)
        for day in sorted(own, reverse=True):
            make.make_inbound(session, person, number, occurred_at=datetime.combine(day, time(12), UTC))
    while folding.fold(session):
        pass
    for period in (Period(first, last) for first in days for last in days if first <= last):
        told = active.active(Question(session, period, Filter("live"))).people
        assert told == sum(any(period.first <= day <= period.last for day in own) for own in wrote), period


@pytest.mark.parametrize(
    "period, why", [((1, 0), "before it begins"), ((0, 5_000), "ten years")], ids=["swapped", "long"]
)
def test_a_period_that_cannot_be_meant_is_refused_with_what_would_be_right(period: tuple[int, int], why: str) -> None:
    first, last = (BEGIN.date() + timedelta(days=days) for days in period)
    with pytest.raises(InsightError, match=why):
        Period(first, last)


@pytest.mark.parametrize("which", [{"number_id": 99}, {"segment_id": 99}], ids=["number", "segment"])
def test_what_is_not_there_is_not_counted_as_nothing(session: Session, which: dict[str, Any]) -> None:
    begin(session, "UTC")
    with pytest.raises(InsightError, match="99 in this environment"):
        Question(session, Period(BEGIN.date(), BEGIN.date()), Filter("live", **which))
