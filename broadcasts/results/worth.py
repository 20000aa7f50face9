"""How many of a broadcast's failed are worth another try, and why the others are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.language import later
from bot.models.broadcast import Broadcast
from bot.models.words import BroadcastState
from broadcasts.results.retriable import Failure, why_not

RETRIED: Final = later("retried already, by another broadcast")
STATES: Final = frozenset({BroadcastState.PAUSED, BroadcastState.FINISHED, BroadcastState.CANCELLED})
"""In which a broadcast's failed may be tried again."""

# Everybody who failed, by what decides whether it is worth another try; whoever was retried before is apart.
FAILED: Final = """
    WITH failed AS (
        SELECT m.person_id, m.error_code AS code,
               CASE WHEN m.error_code IS NULL THEN coalesce(m.error_text, '') ELSE '' END AS reason,
               coalesce(m.failed_at > now() - interval '1 day', true) AS is_fresh,
               EXISTS (SELECT FROM broadcast b JOIN audience_person a ON a.broadcast_id = b.id
                        WHERE b.parent_id = m.broadcast_id AND b.origin = 'retry' AND b.state <> 'cancelled'
                          AND a.person_id = m.person_id) AS is_retried
          FROM message m WHERE m.broadcast_id = :id AND m.state = 'failed')
"""
_GROUPS = text(f"""{FAILED}
    SELECT code, reason, is_fresh, is_retried, count(*) AS people FROM failed GROUP BY 1, 2, 3, 4
""")  # noqa: S608 (a constant)


@dataclass(frozen=True, slots=True)
class LeftOut:
    why: str
    people: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Of so many who failed, so many are worth another try; `left_out` are the others, the most first."""

    failed: int
    people: int
    left_out: Sequence[LeftOut]
    worth: Sequence[Failure]

    def __str__(self) -> str:
        return f"{self.people:,} of the {self.failed:,} who failed"


def plan(session: Session, broadcast: Broadcast) -> Plan:
    worth: dict[Failure, int] = {}
    left_out: dict[str, int] = {}
    for row in session.execute(_GROUPS, {"id": broadcast.id}):
        failure = Failure(row.code, row.reason, row.is_fresh)
        why = RETRIED if row.is_retried else why_not(failure)
        if why is None:
            worth[failure] = row.people
        else:
            left_out[why] = left_out.get(why, 0) + row.people
    told = sorted((LeftOut(why, people) for why, people in left_out.items()), key=lambda each: -each.people)
    people = sum(worth.values())
    return Plan(people + sum(left_out.values()), people, told, list(worth))
