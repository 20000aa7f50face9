"""The team's numbers for some days: how soon people are answered, and who does the work; docs/team-report.md explains.

Each thing counts on the day it happened, so that what was once reported stays as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.conversations import at_work, figures
from bot.conversations.figures import Asked, Asking
from bot.models.team import Operator


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in seconds; `median` and `p90` are None where nothing did."""

    count: int = 0
    median: float | None = None
    p90: float | None = None


@dataclass(slots=True)
class CoachFigures:
    """`operator_id` is None for answers from the phone app and by the API."""

    operator_id: int | None
    name: str | None
    replies: int = 0
    first_responses: int = 0
    first_response_median: float | None = None
    closed: int = 0
    handed_over: int = 0
    assigned_now: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a period."""

    opened: int
    reopened: int
    first_response: Spread
    resolution: Spread
    closed: int
    closed_without_reply: int
    closed_by_rule: int
    replies: int


@dataclass(frozen=True, slots=True)
class Report:
    asked: Asked
    figures: Figures
    waiting: int
    """Now, as is the next."""
    waiting_since: datetime | None
    coaches: Sequence[CoachFigures]


def load(session: Session, asked: Asked) -> Report:
    """The figures of a period, who waits now, and each coach's share, by name."""
    ask = Asking(session, asked)
    (waiting,) = ask.rows(figures.WAITING)
    found = _Found(ask)
    return Report(asked, found.figures(), waiting.many, waiting.since, found.coaches(session))


def compare(session: Session, asked: Asked) -> Figures:
    """Those of another period alone."""
    return _Found(Asking(session, asked)).figures()


class _Found:
    """What the statements say, each asked once."""

    def __init__(self, ask: Asking) -> None:
        self._ask = ask
        self.closed = ask.rows(figures.CLOSED)
        self.replies = self._by_coach(figures.REPLIES)

    def figures(self) -> Figures:
        (opened,) = self._ask.rows(figures.OPENED)
        return Figures(
            opened=opened.opened,
            reopened=opened.reopened,
            first_response=self._spread(figures.ANSWERED),
            resolution=self._spread(figures.RESOLVED),
            closed=sum(row.many for row in self.closed),
            closed_without_reply=sum(row.without_reply for row in self.closed),
            closed_by_rule=sum(row.by_rule for row in self.closed),
            replies=sum(self.replies.values()),
        )

    def coaches(self, session: Session) -> list[CoachFigures]:
        """Everybody who may answer, and whoever did something."""
        counted = {
            "closed": {row.operator_id: row.many for row in self.closed if row.operator_id},
            "replies": self.replies,
            "handed_over": self._by_coach(figures.HANDED_OVER),
            "assigned_now": self._by_coach(figures.ASSIGNED),
        }
        answered = {row.operator_id: row for row in self._ask.rows(figures.ANSWERED_BY_COACH)}
        ids = {*answered, *chain(*counted.values()), *(each.id for each in at_work.coaches(session))}
        names = {id_: name for id_, name in session.execute(select(Operator.id, Operator.name))}  # noqa: C416 (no pairs)
        made = []
        for id_ in ids:
            told = CoachFigures(
                id_, names.get(id_ or 0), **{name: counts.get(id_ or 0, 0) for name, counts in counted.items()}
            )
            if (row := answered.get(id_)) is not None:
                told.first_responses, told.first_response_median = row.many, row.median
            made.append(told)
        return sorted(made, key=lambda each: (each.name is None, (each.name or "").lower(), each.operator_id or 0))

    def _by_coach(self, sql: str) -> Mapping[int, int]:
        return {row.operator_id: row.many for row in self._ask.rows(sql)}

    def _spread(self, sql: str) -> Spread:
        return next((Spread(row.many, row.median, row.p90) for row in self._ask.rows(sql)), Spread())
