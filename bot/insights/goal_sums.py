"""What everybody did for goals, from what was counted: sums over the spans that lie within a period."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate, combinations_with_replacement
from typing import Any, Final

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from bot.insights.asking import Period
from bot.insights.middles import between
from bot.insights.spans import DAY, MONTH, STEP, Part


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: in a generation, for the days of a period, at a number or, with 0, at any."""

    generation: int
    period: Period
    number_id: int


@dataclass(slots=True)
class Sums:
    """Of one goal, in people."""

    did: Counter[int] = field(default_factory=Counter)
    """By behaviour."""
    completed: int = 0
    went_on: int = 0
    """Of those who started in the period."""
    median_s: float | None = None


_GOALS = "unnest(CAST(:goals AS bigint[])) w(goal_id)"
_STEPS = "unnest(CAST(:goals AS bigint[]), CAST(:steps AS smallint[])) w(goal_id, step)"


def _sums(table: str, columns: str, wanted: str = _GOALS, which: str = "true") -> TextClause:
    """By columns, of the boxes that a period is made of and of what has not been folded yet.

    `which` is said of both. Each box of each goal is looked up by itself: it is a run of the index.
    """
    return text(f"""
        SELECT {columns}, sum(people)::bigint AS people FROM (
            SELECT {columns}, s.people
              FROM {wanted}
             CROSS JOIN unnest(
                    CAST(:since_levels AS smallint[]), CAST(:since_firsts AS date[]), CAST(:since_lasts AS date[]),
                    CAST(:until_levels AS smallint[]), CAST(:until_firsts AS date[]), CAST(:until_lasts AS date[]))
                    AS b(since_level, since_first, since_last, until_level, until_first, until_last)
             CROSS JOIN LATERAL (
                SELECT * FROM {table} s
                 WHERE s.generation = :generation AND s.goal_id = w.goal_id AND s.number_id = :number AND {which}
                   AND s.since_level = b.since_level AND s.since BETWEEN b.since_first AND b.since_last
                   AND s.until_level = b.until_level AND s.until BETWEEN b.until_first AND b.until_last OFFSET 0) s
             UNION ALL
            SELECT {columns}, s.people
              FROM {wanted} JOIN (SELECT d.*, {STEP} AS step FROM goal_span_delta d) s ON s.goal_id = w.goal_id
             WHERE s.generation = :generation AND s.number_id = :number AND {which}
               AND s.since >= :first AND s.until <= :last) s
         GROUP BY {columns} HAVING sum(people) <> 0
    """)  # noqa: S608 (put together from constants)


_COUNTS: Final = _sums("goal_span", "s.goal_id, s.part, s.behaviour_id, s.step")
_TIMES: Final = _sums("goal_span_time", "s.goal_id, s.step, s.seconds", _STEPS, "s.step = w.step")
_AUTHORS: Final = _sums(
    *("goal_span_author", "s.author_kind, s.author_id, s.author_step"),
    which="s.part = :part AND s.behaviour_id = :behaviour",
)


def sums(session: Session, place: Place, goals: Sequence[int]) -> Mapping[int, Sums]:
    """Of each of the goals, by its id."""
    found = {goal_id: Sums() for goal_id in goals}
    steps: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for row in session.execute(_COUNTS, _given(place) | {"goals": list(goals)}):
        goal = found[row.goal_id]
        if row.part == Part.DID:
            goal.did[row.behaviour_id] += row.people
        elif row.part == Part.WENT_ON:
            goal.went_on += row.people
        else:
            goal.completed += row.people
            if row.step >= 0:
                steps[row.goal_id][row.step] += row.people
    _tell_medians(session, place, found, steps)
    return found


def authors(session: Session, place: Place, goal_id: int, part: Part, behaviour_id: int = 0) -> Sequence[Row[Any]]:
    """(author_kind, author_id, author_step, people); the step is 0 where there is none."""
    given = _given(place) | {"goals": [goal_id], "part": part, "behaviour": behaviour_id}
    return session.execute(_AUTHORS, given).all()


def _tell_medians(session: Session, place: Place, found: Mapping[int, Sums], steps: Mapping[int, Counter[int]]) -> None:
    """What took how long is asked only of the steps in which a middle lies."""
    middles = {goal_id: _middle(counts) for goal_id, counts in steps.items()}
    wanted = [(goal_id, step) for goal_id, middle in middles.items() for step in middle]
    if not wanted:
        return
    given = _given(place) | {"goals": [goal_id for goal_id, _ in wanted], "steps": [step for _, step in wanted]}
    took: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for row in session.execute(_TIMES, given):
        took[row.goal_id][row.seconds] += row.people
    for goal_id, middle in middles.items():
        before = sum(people for step, people in steps[goal_id].items() if step < middle[0])
        times = sorted(took[goal_id])
        ends = [before + end for end in accumulate(took[goal_id][seconds] for seconds in times)]
        found[goal_id].median_s = between(times, ends, _place(steps[goal_id]))


def _middle(counts: Counter[int]) -> Sequence[int]:
    """The step in which the middle one lies, or both of the middle two."""
    place, end, found = _place(counts), 0, []
    for step, people in sorted(counts.items()):
        if end <= math.ceil(place) and math.floor(place) < end + people:
            found.append(step)
        end += people
    return found


def _place(counts: Counter[int]) -> float:
    return (counts.total() - 1) / 2


def _given(place: Place) -> dict[str, Any]:
    names = ("since_levels", "since_firsts", "since_lasts", "until_levels", "until_firsts", "until_lasts")
    boxes = [(*since, *until) for since, until in combinations_with_replacement(_pieces(place.period), 2)]
    told: dict[str, Any] = {name: [box[at] for box in boxes] for at, name in enumerate(names)}
    told |= {"first": place.period.first, "last": place.period.last}
    return told | {"generation": place.generation, "number": place.number_id}


def _pieces(period: Period) -> Sequence[tuple[int, date, date]]:
    """The days before the first whole month, the whole months, and the days after: (level, first, last), in order."""
    first, last, day = period.first, period.last, timedelta(days=1)
    begin, end = _month(first - day, 1), _month(last + day, 0)
    if begin >= end:
        return [(DAY, first, last)]
    pieces = [(DAY, first, begin - day), (MONTH, begin, end - day), (DAY, end, last)]
    return [piece for piece in pieces if piece[1] <= piece[2]]


def _month(day: date, later: int) -> date:
    """The first of the day's month, or of the next."""
    begin = day.replace(day=1)
    return (begin + timedelta(days=32)).replace(day=1) if later else begin
