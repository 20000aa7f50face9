"""Who looks after a conversation: given by hand, taken, handed back, or shared out among those who are there."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import live
from bot.conversations import at_work
from bot.language import _
from bot.models.inbox import InboxPolicy
from bot.models.words import Assigning

AT_ONCE = 500
"""Conversations that one round shares out."""

_HOLD = text("SELECT environment, assigned_to_id FROM conversation WHERE id = :id FOR UPDATE")

_ASSIGN = text("""
    WITH given AS (
        SELECT g.id, g.operator_id, c.assigned_to_id AS before
          FROM unnest(CAST(:ids AS bigint[]), CAST(:operators AS bigint[])) AS g(id, operator_id)
          JOIN conversation c ON c.id = g.id),
    told AS (
        INSERT INTO assignment (conversation_id, from_operator_id, to_operator_id, by_operator_id, rule, remark)
        SELECT id, before, operator_id, CAST(:by AS bigint), CAST(:rule AS text), CAST(:remark AS text) FROM given)
    UPDATE conversation c
       SET assigned_to_id = g.operator_id,
           assigned_at = CASE WHEN g.operator_id IS NOT NULL THEN clock_timestamp() END
      FROM given g
     WHERE c.id = g.id
""")

# Whoever waits and has nobody; or was opened anew while who looked after it is not there. What somebody has handed
# back by hand since it was opened stays with nobody.
_LEFT = text("""
    SELECT c.id FROM conversation c
      JOIN episode e ON e.conversation_id = c.id AND e.closed_at IS NULL
     WHERE c.environment = :environment AND c.state = 'open' AND c.waiting_since IS NOT NULL
       AND (c.assigned_to_id IS NULL
            OR (c.assigned_to_id <> ALL(CAST(:there AS bigint[])) AND e.opened_at > c.assigned_at))
       AND NOT EXISTS (SELECT FROM assignment a
                        WHERE a.conversation_id = c.id AND a.to_operator_id IS NULL AND a.at >= e.opened_at)
     ORDER BY c.waiting_since, c.id
     LIMIT :limit
       FOR UPDATE OF c SKIP LOCKED
""")

_LOADS = text("""
    SELECT o.id, (SELECT count(*) FROM conversation c
                   WHERE c.assigned_to_id = o.id AND c.state = 'open' AND c.environment = :environment) AS open,
           (SELECT max(a.id) FROM assignment a
             WHERE a.to_operator_id = o.id AND a.rule IS NOT NULL) AS last
      FROM unnest(CAST(:there AS bigint[])) AS o(id)
""")

_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(hashtext('share out ' || :environment))")


class AssignError(ValueError):
    """The conversation cannot be given to them; the text says why."""


def assign(
    session: Session, conversation_id: int, to_operator_id: int | None, by_operator_id: int, remark: str | None = None
) -> bool:
    """Give a conversation to a coach, or to nobody; False if it was theirs already. Raises AssignError."""
    if to_operator_id is not None and not at_work.is_coach(session, to_operator_id):
        raise AssignError(_("They cannot answer conversations, or are on the team no more: choose somebody else."))
    held = session.execute(_HOLD, {"id": conversation_id}).one()
    if held.assigned_to_id == to_operator_id:
        return False
    given = {"ids": [conversation_id], "operators": [to_operator_id], "by": by_operator_id, "rule": None}
    session.execute(_ASSIGN, {**given, "remark": remark})
    live.tell(session, live.inbox(held.environment))
    live.tell(session, live.thread(conversation_id))
    return True


def share_out(session: Session, policy: InboxPolicy, present: Collection[int]) -> int:
    """Give what waits to those who are there, by the policy's rule and up to what each takes; how many were given."""
    there = {each.id: each.capacity or policy.capacity for each in at_work.coaches(session) if not each.is_away}
    there = {id_: capacity for id_, capacity in there.items() if id_ in present}
    told = {"environment": policy.environment, "there": sorted(there)}
    if not there or not session.scalar(_ONE_AT_A_TIME, {"environment": policy.environment}):
        return 0
    left = session.scalars(_LEFT, {**told, "limit": AT_ONCE}).all()
    if not left:
        return 0
    loads = [_Load(row.id, row.open, there[row.id], row.last or 0) for row in session.execute(_LOADS, told)]
    given = list(zip(left, _turns(loads, Assigning(policy.assigning)), strict=False))
    if given:
        ids, operators = [id_ for id_, _ in given], [operator_id for _, operator_id in given]
        rule = {"by": None, "rule": policy.assigning, "remark": None}
        session.execute(_ASSIGN, {"ids": ids, "operators": operators, **rule})
        live.tell(session, live.inbox(policy.environment))
        for id_ in ids:
            live.tell(session, live.thread(id_))
    return len(given)


@dataclass(slots=True)
class _Load:
    operator_id: int
    open: int
    capacity: int
    last: int
    """The higher, the later was their last turn."""


def _turns(loads: Sequence[_Load], rule: Assigning) -> Iterator[int]:
    """Whose turn it is, one conversation after another, until everybody has as many as they take."""
    turn = max((load.last for load in loads), default=0)
    while free := [load for load in loads if load.open < load.capacity]:
        by_turn = rule is Assigning.ROUND_ROBIN
        chosen = min(free, key=lambda load: (0 if by_turn else load.open, load.last, load.operator_id))
        turn += 1
        chosen.open, chosen.last = chosen.open + 1, turn
        yield chosen.operator_id
