"""How are people guided? Conversations opened and closed by day, how they stand now, and how soon people are answered.

In the words of the team's report (docs/team-report.md), with which it agrees.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.conversations.report import Spread
from bot.insights import facts, sources
from bot.insights.asking import Period, Question
from bot.insights.middles import between
from bot.language import later

EXPLANATION: Final = later(
    "A conversation is opened by a person who writes, or by a coach; reopened are those that had been closed before. It"
    " is closed by a coach, or by itself after the hours that the inbox's settings say, which is told apart. Each"
    " counts on the day it happened. Open, closed and waiting are as of now; whoever waits has no human's answer yet."
)
RESPONSE_EXPLANATION: Final = later(
    "From an opening by the person to the first answer of a human: a coach, a program by the API, or somebody in the"
    " phone app. Half of the answers, and nine of ten, were quicker than this. Nights count like any other hour."
)

_FACTS = sources.on(
    "facts",
    "SELECT fact, nullif(day, '-infinity') AS day, sum(many) AS many FROM {source}"
    " WHERE fact NOT IN ('opted_out', 'opted_in', 'answered') GROUP BY 1, 2",
)
_BOUNDS_S: Final = (60, 300, 900, 3_600, 4 * 3_600, 24 * 3_600)
_BOUNDS = ", ".join(f"response_step({bound})" for bound in _BOUNDS_S)
_ANSWERS = sources.on(
    "answers",
    f"SELECT step, seconds, width_bucket(step, ARRAY[{_BOUNDS}]) AS within, sum(many) AS many FROM {{source}}"  # noqa: S608 (ours)
    " GROUP BY 1, 2 HAVING sum(many) > 0 ORDER BY 1, 2",
)


@dataclass(frozen=True, slots=True)
class ConversationsOn:
    day: date
    opened: int = 0
    reopened: int = 0
    closed: int = 0
    """By a coach."""
    closed_without_reply: int = 0
    closed_by_rule: int = 0


@dataclass(frozen=True, slots=True)
class Conversations:
    period: Period
    rows: Sequence[ConversationsOn]
    open: int
    """Now, as are the next two."""
    closed: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Step:
    """Answers that took `from_s` or more and less than `under_s`; None: however long."""

    from_s: int
    under_s: int | None
    count: int


COUNTS: Final = ("opened", "reopened", "closed", "closed_without_reply", "closed_by_rule")


def conversations(question: Question) -> Conversations:
    found = {(row.fact, row.day): int(row.many) for row in question.ask(_FACTS(question))}
    rows = []
    for day in question.period:
        counts = {name: found.get((name, day), 0) for name in COUNTS}
        counts["reopened"] = counts["opened"] - found.get(("begun", day), 0)
        rows.append(ConversationsOn(day, **counts))
    threads, is_open, waiting = (found.get((name, None), 0) for name in ("threads", "open", "waiting"))
    return Conversations(question.period, rows, is_open, threads - is_open, waiting)


def responses(question: Question) -> Spread:
    """How long the first answers of the period had taken, in seconds: of long times three digits are told."""
    before, ends, times = 0, list[int](), list[int]()
    for _step, rows in itertools.groupby(question.ask(_ANSWERS(question)), lambda row: row.step):
        end = before
        for row in rows:
            if row.seconds is None:  # the last: all of the step
                before += int(row.many)
            else:
                end += int(row.many)
                ends.append(end)
                times.append(row.seconds)
    if not before:
        return Spread()
    places = (share * (before - 1) for share in facts.SHARES)
    return Spread(before, *(between(times, ends, place) for place in places))


def response_steps(question: Question) -> Sequence[Step]:
    """The same answers by how long they took, in the steps people think in; the quickest first."""
    found = Counter[int]()
    for row in question.ask(_ANSWERS(question)):
        found[row.within] += int(row.many) if row.seconds is None else 0
    bounds = itertools.pairwise((0, *_BOUNDS_S, None))
    return [Step(from_s or 0, under_s, found[step]) for step, (from_s, under_s) in enumerate(bounds)]
