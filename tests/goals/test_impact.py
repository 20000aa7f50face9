"""The figures of a goal equal a plain recount of everything people did, however late and often it was told."""

import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from bot import runtime
from bot.erasure import statements
from bot.goals import goals
from bot.goals.recording import Done, had_before, record
from bot.insights import comparing, filling, folding, generations
from bot.insights.asking import Period
from bot.insights.doers import Group
from bot.insights.impact import impact, lineage, people, who
from bot.models.connection import Number
from bot.models.goals import Goal
from bot.models.person import Person
from bot.people import merge
from bot.team.audit import COMMAND
from tests import factories as make
from tests.goals.aims import asked, event, make_goal
from tests.harness.sizes import sizes
from tests.insights.recount_talks import told as told_s

BEGIN = datetime(2026, 3, 27, tzinfo=UTC)
"""Clocks in Europe are put on two nights later."""

MONTHS = (st.integers(-40, -24), st.integers(31, 70))
"""When a period begins and how much later it ends that has a whole month, or nearly."""

moments = st.integers(0, 6 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
deeds = st.lists(st.sampled_from((*("do",) * 8, "unite", "erase", "fold", "change")), min_size=15, max_size=50)


@dataclass(frozen=True)
class Row:
    behaviour: int
    person: int
    at: datetime
    number: int | None
    came: str
    """The kind of whoever had written last, as it was known when this was told."""


@dataclass
class History:
    """What was done, as plain lists, beside the same in the database."""

    session: Session
    goal: Goal
    people: list[Person]
    numbers: list[int]
    coach_id: int
    done: list[Row] = field(default_factory=list)
    sent: list[tuple[int, datetime]] = field(default_factory=list)
    had: set[int] = field(default_factory=set)
    began: int = 0
    """The behaviour that these had before."""
    gone: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)

    def here(self) -> list[int]:
        return [each.id for each in self.people if each.id not in self.gone]

    def do(self, draw: Any) -> None:
        one = draw(st.sampled_from(self.here()))
        behaviour = draw(st.sampled_from([each.id for each in self.goal.behaviours]))
        at = draw(moments) + timedelta(microseconds=len(self.done))
        told = draw(st.sampled_from([None, *self.numbers]))
        came = self.came(one, at)
        self.done.append(Row(behaviour, one, at, told or (self.numbers[0] if came else None), came))
        again = draw(st.sampled_from(self.done))
        late = Done(again.behaviour, again.person, again.at, again.number)
        record(self.session, "live", [late, Done(behaviour, one, at, told)])

    def came(self, person: int, at: datetime) -> str:
        since, until = at - timedelta(days=7), at + timedelta(seconds=1)
        return "coach" if any(who == person and since <= sent < until for who, sent in self.sent) else ""

    def unite(self, draw: Any) -> None:
        alive = [each for each in self.here() if each not in self.erased]
        if len(alive) < 3:
            return
        pair = draw(st.lists(st.sampled_from(alive), min_size=2, max_size=2, unique=True))
        stays = merge.merge(self.session, pair, "the test says so")
        [gone] = set(pair) - {stays}
        self.gone.add(gone)
        self.done = [replace(each, person=stays) if each.person == gone else each for each in self.done]
        self.sent = [(stays if p == gone else p, at) for p, at in self.sent]
        self.had = {stays if p == gone else p for p in self.had}

    def erase(self, draw: Any) -> None:
        one = draw(st.sampled_from(self.here()))
        self.erased.add(one)
        told = {"id": one, "environment": "live", "spoken": [], "spellings": [], "named": [], "operator_id": None}
        more = {"gone": statements.GONE, "gone_alert": ""}
        for _, statement in statements.ALL:
            wanted = statement.compile().params
            self.session.execute(statement, {name: (told | more)[name] for name in wanted})

    def fold(self, draw: Any) -> None:
        folding.fold(self.session, draw(st.integers(1, 30)))

    def change(self, draw: Any) -> None:
        """The same behaviours in other places, or one of them another: what was done of that goes with it."""
        start, way, end = draw(st.permutations([event("start"), event("end"), event("way")]))
        if draw(st.integers(0, 3)) == 0:
            start = event(f"start {len(self.done)}")
        given = {"name": "Enrol", "start": start, "way": [way], "completion": end}
        goals.change(self.session, self.goal, given, COMMAND)
        left = {each.id for each in self.goal.behaviours}
        self.done = [row for row in self.done if row.behaviour in left]

    def begin_with(self, draw: Any) -> None:
        """Messages are all there before anything is done: what came before is written down when it is done."""
        for _ in range(draw(st.integers(0, 12))):
            person, at = draw(st.sampled_from(self.people)), draw(moments)
            make.make_outbound(
                self.session,
                person,
                self.session.get_one(Number, self.numbers[0]),
                state="accepted",
                author_kind="coach",
                operator_id=self.coach_id,
                occurred_at=at,
                accepted_at=at,
            )
            self.sent.append((person.id, at))
        for person in draw(st.lists(st.sampled_from(self.people), max_size=2, unique=True)):
            self.began = self.goal.behaviours[0].id
            had_before(self.session, "live", self.began, [person.id])
            self.had.add(person.id)


class Recount:
    """The same questions asked of the plain lists."""

    def __init__(
        self, history: History, zone: ZoneInfo, period: Period, number: int | None, ids: set[int] | None
    ) -> None:
        self.history, self.zone, self.period, self.number, self.ids = history, zone, period, number, ids
        first: dict[tuple[int, int, date], Row] = {}
        for row in sorted(history.done, key=lambda row: row.at):
            first.setdefault((row.behaviour, row.person, self.day(row)), row)
        self.rows = list(first.values())
        self.start, self.end = history.goal.behaviours[0].id, history.goal.behaviours[-1].id

    def day(self, row: Row) -> date:
        return row.at.astimezone(self.zone).date()

    def did(self, behaviour: int) -> dict[int, Row]:
        """Everybody's first time."""
        found: dict[int, Row] = {}
        for row in self._counted(behaviour):
            found.setdefault(row.person, row)
        return found

    def completed(self) -> dict[int, tuple[Row, timedelta | None]]:
        """And how long it took, where that can be told."""
        found: dict[int, tuple[Row, timedelta | None]] = {}
        for row in self._counted(self.end):
            starts = [at for at in self._times(self.start, row.person) if at <= row.at]
            before = [at for at in self._times(self.end, row.person) if at < row.at]
            has_had = row.person in self.history.had and self.history.began == self.start
            if row.person not in found and (starts or has_had):
                since = [at for at in starts if not before or at > max(before)]
                is_untold = not since or (has_had and not before)
                found[row.person] = (row, None if is_untold else row.at - min(since))
        return found

    def went_on(self) -> set[int]:
        ends = [row for row in self.rows if row.behaviour == self.end and self.day(row) <= self.period.last]
        began = self.did(self.start)
        return {row.person for row in ends if row.person in began and row.at >= began[row.person].at}

    def _times(self, behaviour: int, person: int) -> list[datetime]:
        return [row.at for row in self.rows if (row.behaviour, row.person) == (behaviour, person)]

    def _counted(self, behaviour: int) -> Iterator[Row]:
        for row in self.rows:
            is_asked = self.ids is None or row.person in self.ids
            is_there = self.number is None or row.number == self.number
            if row.behaviour == behaviour and is_asked and is_there and self.day(row) in list(self.period):
                yield row


@pytest.mark.parametrize("examples", sizes(5, 40, 200))
def test_every_figure_is_what_a_recount_says(session: Session, examples: int) -> None:
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
            zone = data.draw(st.sampled_from(("UTC", "Europe/Berlin", "Pacific/Apia")))
            told = runtime.current()
            runtime.use(replace(told, settings=replace(told.settings, time_zone=zone)))
            compare(session, build(session, data), ZoneInfo(zone), data)
            runtime.use(told)
            savepoint.rollback()
        session.expunge_all()

    check()


def build(session: Session, data: st.DataObject) -> History:
    generations.put_in_place(session, from_zero(session))
    goal = make_goal(session, event("start"), event("end"), event("way"))
    line = make.make_connection(session)
    numbers = [make.make_number(session, line).id for _ in range(2)]
    history = History(
        session, goal, [make.make_person(session) for _ in range(5)], numbers, make.make_operator(session).id
    )
    history.begin_with(data.draw)
    for deed in data.draw(deeds):
        getattr(history, deed)(data.draw)
    return history


def compare(session: Session, history: History, zone: ZoneInfo, data: st.DataObject) -> None:
    assert differences(session) == []
    for begins, lasts in ((st.integers(-1, 5), st.integers(0, 8)), MONTHS):
        first = BEGIN.date() + timedelta(days=data.draw(begins))
        compare_in(session, history, zone, Period(first, first + timedelta(days=data.draw(lasts))))


def compare_in(session: Session, history: History, zone: ZoneInfo, period: Period) -> None:
    here = [each for each in history.people if each.id in history.here() and each.id not in history.erased]
    segment = make.make_segment(session, here[:2])
    for which, ids in (({}, None), ({"number_id": history.numbers[0]}, None), ({"segment_id": segment.id}, here[:2])):
        recount = Recount(history, zone, period, which.get("number_id"), None if ids is None else {p.id for p in ids})
        equals(session, history, recount, asked(history.goal, period, **which))


def differences(session: Session) -> list[str]:
    """Of what has been counted as it happened and of all counted from zero, as a rebuild tells them."""
    current = generations.current(session)
    assert current is not None
    made = from_zero(session)
    found = list(comparing.differences(session, current.id, made))
    generations.drop(session, made)
    return found


def from_zero(session: Session) -> int:
    """A generation, counted whole."""
    made = generations.begin(session, "UTC")
    while not filling.fill(session, made, 100):
        pass
    assert filling.finish(session, made.id)
    return made.id


def equals(session: Session, history: History, recount: Recount, question: Any) -> None:
    told, completed = impact(session, question), recount.completed()
    for row in told.rows:
        did = recount.did(row.behaviour.id)
        assert row.people == len(did)
        assert set(session.scalars(people(session, question, Group.DID, row.behaviour.id))) == set(did) - history.erased
    assert (told.completed, told.went_on) == (len(completed), len(recount.went_on()))
    took = [told_s(seconds) for _, seconds in completed.values() if seconds is not None]
    assert told.median_s == (statistics.median(took) if took else None)
    shown = {row.person_id: row.at for row in who(session, question, Group.COMPLETED)}
    assert shown == {person: row.at for person, (row, _) in completed.items() if person not in history.erased}
    left = set(session.scalars(people(session, question, Group.LEFT)))
    assert left == set(recount.did(history.goal.behaviours[0].id)) - recount.went_on() - history.erased
    came = {each.kind: each.people for each in lineage(session, question, Group.COMPLETED)}
    assert came == Counter(row.came for row, _ in completed.values())


def test_whoever_completes_after_the_period_has_started_in_it_and_no_more(session: Session) -> None:
    goal, person = make_goal(session, event("start"), event("end")), make.make_person(session)
    start, end = (each.id for each in goal.behaviours)
    record(session, "live", [Done(start, person.id, BEGIN), Done(end, person.id, BEGIN + timedelta(days=4))])
    short, whole = (asked(goal, Period(BEGIN.date(), BEGIN.date() + timedelta(days=days))) for days in (2, 4))
    told, later = impact(session, short), impact(session, whole)
    assert (told.started, told.completed, told.went_on, told.share) == (1, 0, 0, 0)
    assert (later.started, later.completed, later.went_on, later.median_s) == (
        1,
        1,
        1,
        345_000,
    )  # four days, to three digits
    assert list(session.scalars(people(session, short, Group.LEFT))) == [person.id]
