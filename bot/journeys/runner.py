"""Inbound messages move people through journeys: each message answers a question, starts a journey, or does neither.

The caller holds a lock on each person; that a step is taken once rests on the database all the same: a run moves by
compare-and-set, and at most one run waits in a thread (`uq_journey_run_waiting`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.goals import noticing
from bot.goals.noticing import Passed
from bot.journeys import runs, saying
from bot.journeys.language import Spec
from bot.journeys.runs import Waiting
from bot.journeys.saying import Line
from bot.journeys.triggers import Triggers, triggers_of
from bot.journeys.turns import answer_to, buttons_of, turn_from
from bot.models.connection import Number
from bot.models.journey import Journey

TOO_OLD: Final = timedelta(hours=24)
"""The service window: what comes later than this may not be answered with free text (Cloud API)."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An inbound message that was stored just now; `choice` is the id of the button that was tapped."""

    person_id: int
    message_id: int
    body: str | None
    choice: str | None
    first_ever: bool
    occurred_at: datetime
    reply_to: str | None = None
    """The provider's id of the message it quotes."""


def receive(session: Session, number: Number, arrivals: Sequence[Arrival]) -> int:
    """Take each arrival in the order given; how many messages were composed. Ring "send" after the commit.

    Statements are few and the same for one person as for thousands. What is older than 24 hours does nothing.
    """
    now = datetime.now(UTC)
    fresh = [arrival for arrival in arrivals if now - arrival.occurred_at < TOO_OLD]
    if not fresh:
        return 0
    triggers = _triggers(session, number.environment)
    return sum(_take(session, number, each, triggers) for each in _rounds(fresh))


def _triggers(session: Session, environment: str) -> Triggers:
    active = select(Journey.id, Journey.spec["start"].label("start"))
    found = session.execute(active.where(Journey.environment == environment, Journey.active))
    return triggers_of({row.id: row.start for row in found})


def _rounds(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    """Everybody's first message, everybody's second, …: somebody's next message meets what the last one left."""
    rounds: list[list[Arrival]] = []
    seen: dict[int, int] = {}
    for arrival in arrivals:
        place = seen.get(arrival.person_id, 0)
        seen[arrival.person_id] = place + 1
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(arrival)
    yield from rounds


@dataclass(slots=True)
class _Plan:
    """What the arrivals of one round mean: at most one thing for each person."""

    answers: list[tuple[Arrival, Waiting, str]] = field(default_factory=list)
    """With the title of the button."""
    starts: list[tuple[Arrival, int]] = field(default_factory=list)
    """With the journey's id."""
    misses: list[tuple[Arrival, Waiting]] = field(default_factory=list)
    """What was said is no answer, and nothing else either."""


def _take(session: Session, number: Number, arrivals: Sequence[Arrival], triggers: Triggers) -> int:
    waiting = runs.waiting(session, number, [arrival.person_id for arrival in arrivals])
    wanted = {run.journey_id for run in waiting.values()}
    wanted |= {id_ for each in arrivals if (id_ := triggers.chosen(each.body, first_ever=each.first_ever)) is not None}
    if not wanted:
        return 0
    found = session.execute(select(Journey.id, Journey.spec).where(Journey.id.in_(wanted)))
    specs: dict[int, Any] = {row.id: row.spec for row in found}
    plan = _plan(arrivals, waiting, specs, triggers)
    lines = _continue(session, number, plan.answers, specs) + _start(session, number, plan.starts, specs)
    return saying.say(session, number, lines + _repeat(session, plan.misses, specs))


def _plan(
    arrivals: Sequence[Arrival], waiting: Mapping[int, Waiting], specs: Mapping[int, Spec], triggers: Triggers
) -> _Plan:
    """An answer comes before a keyword, a keyword before everything else."""
    plan = _Plan()
    for arrival in arrivals:
        run = waiting.get(arrival.person_id)
        if run is not None:
            buttons = buttons_of(run.id, run.step, specs[run.journey_id]["steps"][run.step])
            if title := answer_to(buttons, arrival.body, arrival.choice):
                plan.answers.append((arrival, run, title))
                continue
        started = triggers.chosen(arrival.body, first_ever=arrival.first_ever and run is None)
        if started is not None:
            plan.starts.append((arrival, started))
        elif run is not None:
            plan.misses.append((arrival, run))
    return plan


def _continue(
    session: Session, number: Number, answers: Sequence[tuple[Arrival, Waiting, str]], specs: Mapping[int, Spec]
) -> list[Line]:
    turns = {run.id: turn_from(specs[run.journey_id], run.step + 1) for _, run, _ in answers}
    moved = runs.advance(session, [(run, turns[run.id]) for _, run, _ in answers])
    lines: list[Line] = []
    kept: list[tuple[int, str, str]] = []
    passed: list[Passed] = []
    for arrival, run, title in answers:
        if run.id in moved:
            spec = specs[run.journey_id]
            kept.append((run.person_id, spec["steps"][run.step]["save_as"], title))
            passed.append(Passed(run.person_id, run.journey_id, number.id, {run.step}, arrival.occurred_at))
            lines += _lines(arrival, run.id, run.journey_id, spec, turns[run.id].steps)
    runs.save_answers(session, kept)
    noticing.passed(session, number.environment, passed)
    noticing.attributes_changed(session, number.environment, {each.person_id for each in passed})
    return lines


def _start(
    session: Session, number: Number, starts: Sequence[tuple[Arrival, int]], specs: Mapping[int, Spec]
) -> list[Line]:
    turns = {journey_id: turn_from(specs[journey_id], 0) for _, journey_id in starts}
    beginnings = [(arrival.person_id, journey_id, turns[journey_id]) for arrival, journey_id in starts]
    begun = runs.begin(session, number, beginnings)
    return [
        line
        for arrival, journey_id in starts
        if arrival.person_id in begun
        for line in _lines(arrival, begun[arrival.person_id], journey_id, specs[journey_id], turns[journey_id].steps)
    ]


def _repeat(session: Session, misses: Sequence[tuple[Arrival, Waiting]], specs: Mapping[int, Spec]) -> list[Line]:
    """Only while the question is of the same day: weeks later, a message is meant for somebody who reads it."""
    lines = [
        line
        for arrival, run in misses
        if arrival.occurred_at - run.started_at < TOO_OLD
        for line in _lines(arrival, run.id, run.journey_id, specs[run.journey_id], [run.step], again=True)
    ]
    return saying.not_yet_repeated(session, lines)


def _lines(
    arrival: Arrival, run_id: int, journey_id: int, spec: Spec, steps: Iterable[int], *, again: bool = False
) -> list[Line]:
    person_id, cause = arrival.person_id, arrival.message_id
    return [Line(run_id, journey_id, person_id, cause, index, spec["steps"][index], again) for index in steps]
