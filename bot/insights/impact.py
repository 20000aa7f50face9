"""Are we making an impact? Who started a goal and who completed it, what they did on the way, and what came before.

Everybody's numbers come from sums that are kept as things happen; those of a segment, and whoever is behind a number,
from what people did. Both say the same.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Row, Select, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from bot.insights import doers, generations, goal_sums
from bot.insights.asking import Filter, Period
from bot.insights.authors import NAMES
from bot.insights.doers import Group
from bot.insights.goal_sums import Place, Sums
from bot.insights.spans import Part
from bot.language import later
from bot.models.goals import Behaviour, BehaviourRole, Goal
from bot.models.segment import Segment
from bot.people import segments

EXPLANATION: Final = later(
    "Started are people who did the goal's first step in these days, completed those who did its last step in these"
    " days and its first step before, whenever that was. The share is of those who started in these days: how many of"
    " them had completed by the end. The time is from their first start since they last completed; half were quicker."
    " Each person counts once in a goal, so that whoever is in several counts in each, and of a day their first time"
    " counts. Attributes that people had before the goal was"
    " made are in no number, but let them complete. With a number chosen, what happens at none, as an event or a click,"
    " counts for the number that had sent them something last."
)
LINEAGE_EXPLANATION: Final = later(
    "What had been sent to people last before they did it, within seven days: that it came before does not prove that"
    " it is why. It is written down in that moment and stays."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A goal, the days, and whose: of an environment's number or segment."""

    goal: Goal
    period: Period
    which: Filter


@dataclass(frozen=True, slots=True)
class Did:
    behaviour: Behaviour
    people: int


@dataclass(frozen=True, slots=True)
class Impact:
    asked: Asked
    completed: int
    went_on: int
    """Of those who started in the period."""
    median_s: float | None
    rows: Sequence[Did]
    """From the start to the completion, in the goal's order: whoever did each, completed or not."""

    @property
    def started(self) -> int:
        return self.rows[0].people

    @property
    def share(self) -> float | None:
        return self.went_on / self.started if self.started else None


@dataclass(frozen=True, slots=True)
class Came:
    """`kind` is empty where nothing had been sent; `step` is of a journey, the first is 1."""

    kind: str
    name: str
    step: int | None
    people: int
    author_id: int
    """The newest of those with the name: a journey has an id for each of its versions."""


def impact(session: Session, asked: Asked) -> Impact:
    [found] = impacts(session, [asked.goal], asked.period, asked.which)
    return found


def impacts(session: Session, goals: Sequence[Goal], period: Period, which: Filter) -> Sequence[Impact]:
    """Of each of the goals, asked for together."""
    each = [Asked(goal, period, which) for goal in goals]
    place = _place(session, period, which)
    if place is None:
        return [_of_rows(session, asked) for asked in each]
    counted = goal_sums.sums(session, place, [goal.id for goal in goals])
    return [_told(asked, counted[asked.goal.id]) for asked in each]


def lineage(session: Session, asked: Asked, group: Group, behaviour_id: int | None = None) -> Sequence[Came]:
    """What came before, the most frequent first; adds up to the group's number."""
    found: Counter[tuple[str, int, int | None]] = Counter()
    for sign, rows in _authors(session, asked, group, behaviour_id):
        for row in rows:
            found[row.author_kind, row.author_id, row.author_step or None] += sign * row.people
    ids: defaultdict[str, set[int]] = defaultdict(set)
    for kind, id_, _step in found:
        ids[kind].add(id_)
    names = {kind: _names(session, kind, of_kind) for kind, of_kind in ids.items()}
    people: Counter[tuple[str, str, int | None]] = Counter()
    newest: dict[tuple[str, str, int | None], int] = {}
    for (kind, id_, step), count in found.items():
        came = kind, names[kind].get(id_, ""), step
        people[came] += count
        newest[came] = max(newest.get(came, 0), id_) if count else newest.get(came, 0)
    told = (Came(*came, count, newest[came]) for came, count in people.items() if count)
    return sorted(told, key=lambda each: (-each.people, each.kind, each.name, each.step or 0))


def who(
    session: Session, asked: Asked, group: Group, behaviour_id: int | None = None, *, after: int = 0, most: int = 50
) -> Sequence[Row[Any]]:
    """Person by person in the order of ids, with when they did it."""
    values = _values(session, asked, behaviour_id) | {"after": after, "most": most}
    return doers.who(session, group, values)


def people(session: Session, asked: Asked, group: Group, behaviour_id: int | None = None) -> Select[int]:
    """All of them, for a segment."""
    found = list(doers.ids(session, group, _values(session, asked, behaviour_id)))
    return select(func.unnest(literal(found, ARRAY(BigInteger))))


def _place(session: Session, period: Period, which: Filter) -> Place | None:
    """Where everybody's sums are; None of a segment, and before anything has been counted."""
    generation = None if which.segment_id is not None else generations.current(session)
    return None if generation is None else Place(generation.id, period, which.number_id or 0)


def _of_rows(session: Session, asked: Asked) -> Impact:
    values = _values(session, asked)
    completed = doers.count(session, Group.COMPLETED, values)
    went_on = doers.count(session, Group.WENT_ON, values)
    told = Sums(Counter(doers.did_each(session, values)), completed.people, went_on.people, completed.median)
    return _told(asked, told)


def _told(asked: Asked, sums: Sums) -> Impact:
    rows = [Did(each, sums.did[each.id]) for each in asked.goal.behaviours]
    return Impact(asked, sums.completed, sums.went_on, sums.median_s, rows)


def _authors(
    session: Session, asked: Asked, group: Group, behaviour_id: int | None
) -> Iterator[tuple[int, Sequence[Row[Any]]]]:
    """What the group is made of, each with its sign: whoever left are those who started without those who went on."""
    place = _place(session, asked.period, asked.which)
    if place is None:
        yield 1, doers.authors(session, group, _values(session, asked, behaviour_id))
        return
    of_goal = session, place, asked.goal.id
    if group in (Group.DID, Group.LEFT):
        yield 1, goal_sums.authors(*of_goal, Part.DID, behaviour_id or _of(asked.goal, BehaviourRole.START))
    if group in (Group.WENT_ON, Group.LEFT):
        yield (-1 if group is Group.LEFT else 1), goal_sums.authors(*of_goal, Part.WENT_ON)
    if group is Group.COMPLETED:
        yield 1, goal_sums.authors(*of_goal, Part.COMPLETED)


def _values(session: Session, asked: Asked, behaviour_id: int | None = None) -> dict[str, Any]:
    start, completion = (_of(asked.goal, role) for role in (BehaviourRole.START, BehaviourRole.COMPLETION))
    return {
        "start": start,
        "completion": completion,
        "behaviour": behaviour_id or start,
        "behaviours": [each.id for each in asked.goal.behaviours],
        "first": asked.period.first,
        "last": asked.period.last,
        "number": asked.which.number_id or 0,
        "people": _of_segment(session, asked.which),
    }


def _of(goal: Goal, role: BehaviourRole) -> int:
    return next(each.id for each in goal.behaviours if each.role == role)


def _of_segment(session: Session, which: Filter) -> list[int] | None:
    segment = None if which.segment_id is None else session.get(Segment, which.segment_id)
    return None if segment is None else list(session.scalars(segments.people_in(session, segment)))


def _names(session: Session, kind: str, ids: Collection[int]) -> Mapping[int, str]:
    if kind not in NAMES:
        return {}
    id_, name = NAMES[kind]
    return dict(session.execute(select(id_, name).where(id_.in_(ids))).all())
