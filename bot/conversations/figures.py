"""What the team's numbers ask the database: for some days, of one environment, narrowed to a number or a label."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, text

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


# Of a conversation c, or of a message m, which knows all but its labels.
_OF = "{0}.environment = :environment"
_NUMBER = " AND {0}.number_id = :number_id"
_LABEL = {
    "c": " AND EXISTS (SELECT FROM conversation_label l WHERE l.conversation_id = c.id AND l.label_id = :label_id)",
    "m": " AND EXISTS (SELECT FROM conversation c JOIN conversation_label l ON l.conversation_id = c.id"
    " WHERE c.person_id = m.person_id AND c.number_id = m.number_id AND l.label_id = :label_id)",
}
_EPISODES = "FROM episode e JOIN conversation c ON c.id = e.conversation_id"
_WITHIN = ">= :since AND {0} < :until"

_BEGUN = f"{_EPISODES} WHERE e.opened_at {_WITHIN.format('e.opened_at')} AND {{of}}"

# Twice over the same rows, so that for a year the earlier episodes are joined once and not looked up one by one.
OPENED = f"""
    SELECT (SELECT count(*) {_BEGUN}) AS opened,
           (SELECT count(*) {_BEGUN} AND EXISTS (
                SELECT FROM episode b WHERE b.conversation_id = e.conversation_id AND b.id < e.id)) AS reopened
"""  # noqa: S608 (all of these are put together from constants)

ANSWERED = f"""
    SELECT grouping(e.first_reply_operator_id) = 1 AS is_all, e.first_reply_operator_id AS operator_id,
           count(*) AS many,
           percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
               ORDER BY told_seconds(e.first_reply_at - e.opened_at)) AS seconds
      {_EPISODES} WHERE e.first_reply_at {_WITHIN.format("e.first_reply_at")} AND e.opened_by = 'person' AND {{of}}
     GROUP BY GROUPING SETS ((), (e.first_reply_operator_id))
"""

CLOSED = f"""
    SELECT grouping(e.closed_by_operator_id) = 1 AS is_all, e.closed_by_operator_id AS operator_id,
           count(*) FILTER (WHERE NOT e.closed_by_rule) AS many,
           count(*) FILTER (WHERE NOT e.closed_by_rule AND e.closed_without_reply) AS without_reply,
           count(*) FILTER (WHERE e.closed_by_rule) AS by_rule,
           percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
               ORDER BY told_seconds(e.closed_at - e.opened_at))
               FILTER (WHERE NOT e.closed_by_rule) AS seconds
      {_EPISODES} WHERE e.closed_at {_WITHIN.format("e.closed_at")} AND {{of}}
     GROUP BY GROUPING SETS ((), (e.closed_by_operator_id))
"""

REPLIES = f"""
    SELECT m.operator_id, count(*) AS many
      FROM message m
     WHERE m.author_kind = 'coach' AND m.occurred_at {_WITHIN.format("m.occurred_at")}
       AND m.kind <> 'reaction' AND m.state <> 'suppressed' AND {{of}}
     GROUP BY m.operator_id
"""  # noqa: S608

# By whom it went to, as the index has it.
HANDED_OVER = f"""
    SELECT a.by_operator_id AS operator_id, count(*) AS many
      FROM assignment a JOIN conversation c ON c.id = a.conversation_id
     WHERE (a.to_operator_id = ANY(ARRAY(SELECT id FROM operator)) OR a.to_operator_id IS NULL)
       AND a.at {_WITHIN.format("a.at")} AND a.rule IS NULL AND a.from_operator_id = a.by_operator_id AND {{of}}
     GROUP BY a.by_operator_id
"""  # noqa: S608

ASSIGNED = """
    SELECT c.assigned_to_id AS operator_id, count(*) AS many FROM conversation c
     WHERE c.state = 'open' AND c.assigned_to_id IS NOT NULL AND {of} GROUP BY c.assigned_to_id
"""

WAITING = """
    SELECT count(*) AS many, min(c.waiting_since) AS since FROM conversation c
     WHERE c.state = 'open' AND c.waiting_since IS NOT NULL AND {of}
"""


def statement(sql: str, asked: Asked) -> tuple[TextClause, dict[str, Any]]:
    """One of those above with its parameters."""
    since, until = asked.bounds()
    given: dict[str, Any] = {"environment": asked.environment, "since": since, "until": until}
    table = "m" if sql is REPLIES else "c"
    of = _OF
    for name, condition in (("number_id", _NUMBER), ("label_id", _LABEL[table])):
        if (value := getattr(asked, name)) is not None:
            of, given[name] = of + condition, value
    return text(sql.format(of=of.format(table))), given
