"""What the team's numbers ask the database: for some days, of one environment, narrowed to a number or a label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from bot.models.connection import Number

LONGEST_DAYS = 1100
YEAR = timedelta(weeks=52)
"""The same days of the week."""


@dataclass(frozen=True, slots=True)
class Asked:
    environment: str
    first: date
    last: date
    """Both days count."""
    zone: ZoneInfo
    number_id: int | None = None
    label_id: int | None = None

    def earlier(self, by: timedelta | None = None) -> "Asked":
        """As many days before these, or so much earlier."""
        by = by or self.last - self.first + timedelta(days=1)
        return replace(self, first=self.first - by, last=self.last - by)

    def bounds(self) -> tuple[datetime, datetime]:
        """From the first midnight to the one after the last day; a day has 23 or 25 hours where clocks change."""
        return (
            datetime.combine(self.first, time.min, self.zone),
            datetime.combine(self.last + timedelta(days=1), time.min, self.zone),
        )


_WITHIN = ">= :since AND {0} < :until"
_NUMBERS = "{0}.number_id = ANY(CAST(:numbers AS bigint[]))"
"""The only thing that episodes and messages are narrowed by without being read themselves: an index begins with it."""
_WHOSE = {
    "c": f"c.environment = :environment AND {_NUMBERS.format('c')}",
    "e": _NUMBERS.format("e"),
    "m": _NUMBERS.format("m"),
}
_LABELLED = {
    "c": " AND EXISTS (SELECT FROM conversation_label l WHERE l.conversation_id = c.id AND l.label_id = :label_id)",
    "e": " AND EXISTS (SELECT FROM conversation_label l"
    " WHERE l.conversation_id = e.conversation_id AND l.label_id = :label_id)",
    "m": " AND EXISTS (SELECT FROM conversation c JOIN conversation_label l ON l.conversation_id = c.id"
    " WHERE c.person_id = m.person_id AND c.number_id = m.number_id AND l.label_id = :label_id)",
}


def _at(share: float) -> str:
    """What percentile_cont says, of `seconds` up to which there are `ends` of `many`."""
    place = f"({share}::double precision * (many - 1))"
    low, high = (f"min(seconds) FILTER (WHERE ends > {side}({place}))" for side in ("floor", "ceil"))
    return f"{low} + ({place} - floor({place})) * ({high} - {low})"


def _spread(seconds: str, of: str) -> str:
    """There are few different times: they are counted first, so that none but these have to be sorted."""
    return f"""
    WITH told AS (SELECT {seconds} AS seconds, count(*)::integer AS many FROM episode e WHERE {of} GROUP BY 1),
    placed AS (
        SELECT seconds, sum(many) OVER () AS many,
               sum(many) OVER (ORDER BY seconds ROWS UNBOUNDED PRECEDING) AS ends
          FROM told)
    SELECT many, {_at(0.5)} AS median, {_at(0.9)} AS p90 FROM placed GROUP BY many
"""  # noqa: S608 (all of these are put together from constants)


OPENED = f"""
    SELECT count(*) AS opened, count(*) FILTER (WHERE e.reopens) AS reopened
      FROM episode e WHERE e.opened_at {_WITHIN.format("e.opened_at")} AND {{e}}
"""  # noqa: S608

_ANSWERED = f"e.first_reply_at {_WITHIN.format('e.first_reply_at')} AND e.opened_by = 'person' AND {{e}}"
_CLOSED = f"e.closed_at {_WITHIN.format('e.closed_at')} AND {{e}}"

ANSWERED = _spread("e.first_reply_s", _ANSWERED)
RESOLVED = _spread("e.closed_s", f"{_CLOSED} AND NOT e.closed_by_rule")

# Each coach's median, of too many different times to be sorted, or counted one by one: in steps of a twelfth of their
# logarithm they tell roughly where it lies, and only what lies there is looked at then.
ANSWERED_BY_COACH = f"""
    WITH steps AS (
        SELECT coalesce(e.first_reply_operator_id, 0) AS coach_id, count(*)::integer AS own,
               (12 * ln(1 + greatest(e.first_reply_s, 0)))::integer AS step,
               min(e.first_reply_s) AS low, max(e.first_reply_s) AS high
          FROM episode e WHERE {_ANSWERED} GROUP BY coach_id, step),
    placed AS (
        SELECT coach_id, low, high, own, sum(own) OVER (PARTITION BY coach_id) AS many,
               sum(own) OVER (PARTITION BY coach_id ORDER BY step) AS ends
          FROM steps),
    middle AS (
        SELECT coach_id, many, min(ends - own) AS before, min(low) AS low, max(high) AS high
          FROM placed WHERE ends > (many - 1) / 2 AND ends - own <= many / 2 GROUP BY coach_id, many),
    near AS (
        SELECT coalesce(e.first_reply_operator_id, 0) AS coach_id, e.first_reply_s AS seconds
          FROM episode e WHERE {_ANSWERED}
           AND e.first_reply_s BETWEEN (SELECT min(low) FROM middle) AND (SELECT max(high) FROM middle)),
    sorted AS (
        SELECT coach_id, many, before, array_agg(seconds ORDER BY seconds) AS times
          FROM near JOIN middle USING (coach_id) WHERE seconds BETWEEN low AND high GROUP BY coach_id, many, before)
    SELECT nullif(coach_id, 0) AS operator_id, many,
           (times[1 + (many - 1) / 2 - before] + times[1 + many / 2 - before]) / 2.0::double precision AS median
      FROM sorted
"""  # noqa: S608

CLOSED = f"""
    SELECT e.closed_by_operator_id AS operator_id,
           count(*) FILTER (WHERE NOT e.closed_by_rule) AS many,
           count(*) FILTER (WHERE NOT e.closed_by_rule AND e.closed_without_reply) AS without_reply,
           count(*) FILTER (WHERE e.closed_by_rule) AS by_rule
      FROM episode e WHERE {_CLOSED} GROUP BY e.closed_by_operator_id
"""  # noqa: S608

REPLIES = f"""
    SELECT m.operator_id, count(*) AS many
      FROM message m
     WHERE m.author_kind = 'coach' AND m.occurred_at {_WITHIN.format("m.occurred_at")}
       AND m.kind <> 'reaction' AND m.state <> 'suppressed' AND {{m}}
     GROUP BY m.operator_id
"""  # noqa: S608

# By whom it went to, as the index has it.
HANDED_OVER = f"""
    SELECT a.by_operator_id AS operator_id, count(*) AS many
      FROM assignment a JOIN conversation c ON c.id = a.conversation_id
     WHERE (a.to_operator_id = ANY(ARRAY(SELECT id FROM operator)) OR a.to_operator_id IS NULL)
       AND a.at {_WITHIN.format("a.at")} AND a.rule IS NULL AND a.from_operator_id = a.by_operator_id AND {{c}}
     GROUP BY a.by_operator_id
"""  # noqa: S608

ASSIGNED = """
    SELECT c.assigned_to_id AS operator_id, count(*) AS many FROM conversation c
     WHERE c.state = 'open' AND c.assigned_to_id IS NOT NULL AND {c} GROUP BY c.assigned_to_id
"""

WAITING = """
    SELECT count(*) AS many, min(c.waiting_since) AS since FROM conversation c
     WHERE c.state = 'open' AND c.waiting_since IS NOT NULL AND {c}
"""

# PostgreSQL would compile what takes less time than compiling it, plan for a year as for a day, and leave a year to one
# process, as it takes what workers hand over for many times what it is.
_PLAINLY = text("""
    SELECT set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true),
           set_config('parallel_tuple_cost', '0.01', true)
""")


class Asking:
    """Asks the statements above, in one transaction."""

    def __init__(self, session: Session, asked: Asked) -> None:
        session.execute(_PLAINLY)
        since, until = asked.bounds()
        numbers = session.scalars(select(Number.id).where(Number.environment == asked.environment))
        self._session, self._whose = session, dict(_WHOSE)
        self._given: dict[str, Any] = {
            "environment": asked.environment,
            "numbers": [id_ for id_ in numbers if asked.number_id in {None, id_}],
            "since": since,
            "until": until,
        }
        if asked.label_id is not None:
            self._whose = {table: whose + _LABELLED[table] for table, whose in _WHOSE.items()}
            self._given["label_id"] = asked.label_id

    def rows(self, sql: str) -> Sequence[Row[Any]]:
        return self._session.execute(text(sql.format_map(self._whose)), self._given).all()
