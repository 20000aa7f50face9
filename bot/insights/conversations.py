"""How are people guided? Conversations opened and closed by day, how they stand now, and how soon people are answered.

In the words of the team's report (docs/team-report.md), with which it agrees; read by the times' own indexes.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text

from bot.conversations.report import Spread
from bot.insights.asking import Period, Question
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

_OF = """c.environment = :environment AND c.number_id = ANY(CAST(:numbers AS bigint[]))
         AND (CAST(:people AS bigint[]) IS NULL OR c.person_id = ANY(CAST(:people AS bigint[])))"""
_EPISODES = "FROM episode e JOIN conversation c ON c.id = e.conversation_id"


def _on(time: str) -> str:
    """Days by name, with room around them for the index: midnight may come twice, or not at all."""
    return f"""e.{time} >= CAST(:first AS date) - interval '2 days'
           AND e.{time} < CAST(:last AS date) + interval '3 days'
           AND (e.{time} AT TIME ZONE :zone)::date BETWEEN :first AND :last AND {_OF}"""


_OPENED = text(f"""
    SELECT (e.opened_at AT TIME ZONE :zone)::date AS day, count(*) AS opened,
           count(*) FILTER (WHERE EXISTS (
               SELECT FROM episode b WHERE b.conversation_id = e.conversation_id AND b.id < e.id)) AS reopened
      {_EPISODES} WHERE {_on("opened_at")} GROUP BY 1
""")  # noqa: S608 (put together from constants)
_CLOSED = text(f"""
    SELECT (e.closed_at AT TIME ZONE :zone)::date AS day,
           count(*) FILTER (WHERE NOT e.closed_by_rule) AS closed,
           count(*) FILTER (WHERE NOT e.closed_by_rule AND e.closed_without_reply) AS closed_without_reply,
           count(*) FILTER (WHERE e.closed_by_rule) AS closed_by_rule
      {_EPISODES} WHERE {_on("closed_at")} GROUP BY 1
""")
_ANSWERED = text(f"""
    SELECT count(*) AS many, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
               ORDER BY extract(epoch FROM e.first_reply_at - e.opened_at)) AS seconds
      {_EPISODES} WHERE e.opened_by = 'person' AND {_on("first_reply_at")}
""")  # noqa: S608 (put together from constants)
_STEPS_S: Final = (60, 300, 900, 3_600, 4 * 3_600, 24 * 3_600)
_ANSWERED_WITHIN = text(f"""
    SELECT width_bucket(extract(epoch FROM e.first_reply_at - e.opened_at), ARRAY{list(_STEPS_S)}::numeric[]) AS step,
           count(*) AS many
      {_EPISODES} WHERE e.opened_by = 'person' AND {_on("first_reply_at")} GROUP BY 1
""")  # noqa: S608 (put together from constants)
_NOW = text(f"""
    SELECT count(*) FILTER (WHERE c.state = 'open') AS open, count(*) FILTER (WHERE c.state = 'closed') AS closed,
           count(*) FILTER (WHERE c.state = 'open' AND c.waiting_since IS NOT NULL) AS waiting
      FROM conversation c WHERE {_OF}
""")  # noqa: S608 (put together from constants)


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


def conversations(question: Question) -> Conversations:
    found: dict[date, dict[str, int]] = {day: {} for day in question.period}
    for row in [*question.ask(_OPENED), *question.ask(_CLOSED)]:
        told: dict[str, Any] = dict(row._mapping)  # noqa: SLF001 (public, by SQLAlchemy's documentation)
        found[told.pop("day")] |= told
    [now] = question.ask(_NOW)
    rows = [ConversationsOn(day, **counts) for day, counts in found.items()]
    return Conversations(question.period, rows, now.open, now.closed, now.waiting)


def responses(question: Question) -> Spread:
    """How long the first answers of the period had taken, in seconds."""
    [row] = question.ask(_ANSWERED)
    return Spread(row.many, *(row.seconds or ()))


def response_steps(question: Question) -> Sequence[Step]:
    """The same answers by how long they took, in the steps people think in; the quickest first."""
    found = {row.step: row.many for row in question.ask(_ANSWERED_WITHIN)}
    bounds = (0, *_STEPS_S, None)
    return [
        Step(from_s or 0, under_s, found.get(step, 0))
        for step, (from_s, under_s) in enumerate(itertools.pairwise(bounds))
    ]
