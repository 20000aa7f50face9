"""A goal's figures beside those of the period it is compared with, and both as the rows of a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from bot.insights import impact
from bot.insights.asking import Period
from bot.insights.choosing import Choice
from bot.insights.impact import Asked, Group, Impact
from bot.models.goals import Goal

HEADER: Final = ("goal", "figure", "behaviour", "value", "unit", "before")
_FIGURES: Final = (("completed", "people"), ("went_on", "people"), ("share", "share"), ("median_s", "seconds"))


@dataclass(frozen=True, slots=True)
class Compared:
    now: Impact
    before: Impact | None


def compare(tx: Session, goal: Goal, choice: Choice) -> Compared:
    def of(period: Period) -> Impact:
        return impact.impact(tx, Asked(goal, period, choice.which))

    return Compared(of(choice.period), of(choice.compared) if choice.compared else None)


def rows(tx: Session, told: Compared) -> Iterator[tuple[object, ...]]:
    """The picture's numbers and the table's, one a line."""
    now, then, name = told.now, told.before, told.now.asked.goal.name
    for place, row in enumerate(now.rows):
        yield name, "did", row.behaviour.name, row.people, "people", then and then.rows[place].people
    for figure, unit in _FIGURES:
        yield name, figure, "", getattr(now, figure), unit, then and getattr(then, figure)
    for came in impact.lineage(tx, now.asked, Group.COMPLETED):
        words = (came.kind, came.name, "" if came.step is None else str(came.step))
        after = " ".join(word for word in words if word) or "nothing"
        yield name, "completed_after", after, came.people, "people", None
