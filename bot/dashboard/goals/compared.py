"""A goal's figures beside those of the period it is compared with, and both as the rows of a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from bot.insights import impact
from bot.insights.choosing import Choice
from bot.insights.doers import Group
from bot.insights.impact import Impact
from bot.models.goals import Goal

HEADER: Final = ("goal", "figure", "behaviour", "value", "unit", "before")
_FIGURES: Final = (("completed", "people"), ("went_on", "people"), ("share", "share"), ("median_s", "seconds"))


@dataclass(frozen=True, slots=True)
class Compared:
    now: Impact
    before: Impact | None


def compare(tx: Session, goals: Sequence[Goal], choice: Choice) -> Sequence[Compared]:
    now = impact.impacts(tx, goals, choice.period, choice.which)
    if choice.compared is None:
        return [Compared(each, None) for each in now]
    before = impact.impacts(tx, goals, choice.compared, choice.which)
    return [Compared(*each) for each in zip(now, before, strict=True)]


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
