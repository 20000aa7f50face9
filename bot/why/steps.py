"""What an answer to “why?” is made of: steps in their order, each with a verdict, its evidence and the remedy."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    PASSED = "passed"
    STOPPED = "stopped"
    WAITING = "waiting"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A row of the database that shows it: `row` as `consent_event 17`, `told` what it says."""

    row: str
    told: str
    at: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    key: str
    question: str
    verdict: Verdict
    told: str
    evidence: tuple[Evidence, ...] = ()
    fix: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; its place and its question are those of the check."""

    verdict: Verdict
    told: str
    evidence: tuple[Evidence, ...] = ()
    fix: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """`told` is the end of it in a sentence; `verdict` PASSED means that it left and the provider took it."""

    title: str
    told: str
    verdict: Verdict
    steps: Sequence[Step] = field(default=())
    broadcast_id: int | None = None
    message_id: int | None = None
    at: datetime | None = None

    @property
    def last(self) -> Step | None:
        """The step where it ended or waits; None if nothing stood in the way."""
        return next((step for step in self.steps if step.verdict in {Verdict.STOPPED, Verdict.WAITING}), None)


Check = tuple[str, str, Callable[..., Finding | None]]
"""Key, question, and what answers it; None where the question does not arise."""


def passed(told: str, *evidence: Evidence, at: datetime | None = None) -> Finding:
    return Finding(Verdict.PASSED, told, evidence, at=at)


def stopped(told: str, fix: str, *evidence: Evidence, at: datetime | None = None) -> Finding:
    return Finding(Verdict.STOPPED, told, evidence, fix, at)


def waiting(told: str, fix: str | None = None, *evidence: Evidence, at: datetime | None = None) -> Finding:
    return Finding(Verdict.WAITING, told, evidence, fix, at)


def walk(checks: Iterable[Check], case: object) -> list[Step]:
    """Ask one after the other; what comes after a stop was not reached, whatever it would have said."""
    steps: list[Step] = []
    is_over = False
    for key, question, check in checks:
        found = check(case)
        if found is None:
            continue
        step = Step(key, question, found.verdict, found.told, found.evidence, found.fix, found.at)
        if is_over:
            step = replace(step, verdict=Verdict.NOT_REACHED, told="", evidence=(), fix=None, at=None)
        is_over = is_over or step.verdict in {Verdict.STOPPED, Verdict.WAITING}
        steps.append(step)
    return steps
