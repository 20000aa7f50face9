"""What a sender takes in hand: replies are claimed, rows of broadcasts are only looked at until they leave.

A broadcast's row goes from queued to the wire in one step, which costs a write less a message. Two senders that look at
the same row race for it there, and one of them wins.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

_FROM_THE_START_S = 2.0
"""Rows that come back to the queue are behind where the sender has looked; after so long it looks there again."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row this owner may be about to send; it has certainly not been sent in this attempt."""

    id: int
    attempt: int
    """The one that is to be made."""
    person_id: int
    broadcast_id: int | None
    to_address: str
    content: Mapping[str, Any] | None
    body: str | None = None
    wording_id: int | None = None
    refusal: str | None = None
    """Why nothing can be sent to this person; the row then fails instead of leaving."""
    is_gap: bool = False
    """The refusal is about a value that is missing: the person is skipped, which is no failure."""

    def saying(self, content: Mapping[str, Any], body: str) -> "Claimed":
        """The row with these words; as `replace` would make it, in a quarter of the time."""
        return Claimed(
            self.id, self.attempt, self.person_id, self.broadcast_id, self.to_address, content, body, self.wording_id
        )


Permit = Callable[[int, int, int], int]
"""How many of so many rows a broadcast's own pace lets through now: (broadcast id, pace, wanted)."""


@dataclass(slots=True)
class Looked:
    """How far one sender has looked through the queue of each broadcast, and what it may take of slow ones."""

    permit: Permit | None = None
    after: dict[int, int] = field(default_factory=dict)
    began_at: float = field(default_factory=time.monotonic)
    is_held_back: bool = False
    """At the last look a broadcast's own pace was all that kept its rows."""

    def begin_again(self) -> None:
        if time.monotonic() - self.began_at > _FROM_THE_START_S:
            self.after.clear()
            self.began_at = time.monotonic()


# Asked all the time, so it stops at each number's first message that nothing holds up, as _CLAIM_REPLIES means it.
_DUE_NUMBERS = text("""
    SELECT n.id FROM number n
     WHERE EXISTS (
        SELECT 1 FROM message m
         WHERE m.number_id = n.id AND m.state = 'queued' AND m.broadcast_id IS NULL
           AND (m.not_before IS NULL OR m.not_before <= now())
           AND NOT EXISTS (
               SELECT 1 FROM message earlier
                WHERE earlier.person_id = m.person_id AND earlier.number_id = m.number_id AND earlier.id < m.id
                  AND earlier.state IN ('queued', 'claimed', 'wire') AND earlier.broadcast_id IS NULL))
    UNION
    SELECT b.number_id FROM broadcast b
     WHERE b.state IN ('materialising', 'running') AND EXISTS (
        SELECT 1 FROM message m WHERE m.broadcast_id = b.id AND m.state = 'queued'
           AND (m.not_before IS NULL OR m.not_before <= now()) AND (m.quiet_at IS NULL OR m.quiet_at > now()))
""")

# A reply waits for the person's earlier one, so that two messages never overtake each other.
_CLAIM_REPLIES = text("""
    WITH due AS (
        SELECT m.id FROM message m
         WHERE m.number_id = :number_id AND m.state = 'queued' AND m.broadcast_id IS NULL
           AND (m.not_before IS NULL OR m.not_before <= now())
           AND NOT EXISTS (
               SELECT 1 FROM message earlier
                WHERE earlier.person_id = m.person_id AND earlier.number_id = m.number_id AND earlier.id < m.id
                  AND earlier.state IN ('queued', 'claimed', 'wire') AND earlier.broadcast_id IS NULL)
         ORDER BY m.priority, m.id
         LIMIT :want
           FOR UPDATE OF m SKIP LOCKED)
    UPDATE message m
       SET state = 'claimed', owner = :owner, attempt = m.attempt + 1,
           lease_until = now() + make_interval(secs => :lease_s)
      FROM due WHERE m.id = due.id
    RETURNING m.id, m.attempt, m.person_id, m.broadcast_id, m.to_address, m.content, m.body, m.wording_id
""")

# By id, and from where the sender has looked: what was sent before leaves entries in the index that nobody should read.
_NEXT_OF_BROADCAST = text("""
    SELECT id, attempt + 1 AS attempt, person_id, broadcast_id, to_address, content, body, wording_id
      FROM message
     WHERE broadcast_id = :broadcast_id AND state = 'queued' AND id > :after
       AND (not_before IS NULL OR not_before <= now()) AND (quiet_at IS NULL OR quiet_at > now())
     ORDER BY id LIMIT :want
""")

# A claim that a power cut undoes leaves its rows queued, as they were, so it does not wait for the disk. The wire mark
# does, and what was logged before it is durable with it: no row leaves of which anybody could think it is still queued.
_CLAIM_MAY_BE_LOST = text("SET LOCAL synchronous_commit = off")

_RUNNING = text("""
    SELECT id, pace_per_s FROM broadcast
     WHERE number_id = :number_id AND state IN ('materialising', 'running') ORDER BY id
""")

_RELEASE = text("""
    UPDATE message SET state = 'queued', owner = NULL, lease_until = NULL, attempt = attempt - 1
     WHERE id = ANY(:ids) AND owner = :owner AND state = 'claimed'
""")


def due_numbers(session: Session) -> list[int]:
    return list(session.scalars(_DUE_NUMBERS))


def claim(
    session: Session,
    number_id: int,
    owner: str,
    want: int,
    lease_s: float,
    *,
    replies: int | None = None,
    looked: Looked | None = None,
) -> list[Claimed]:
    """Take up to `want` due rows, of replies up to `replies`: these first, then evenly of the running broadcasts.

    In a transaction of its own: what else it wrote could be lost with the claim.
    """
    session.execute(_CLAIM_MAY_BE_LOST)
    most = want if replies is None else replies
    rows = _taken(session, _CLAIM_REPLIES, number_id=number_id, want=most, owner=owner, lease_s=lease_s)
    return rows + _of_broadcasts(session, number_id, want - len(rows), looked or Looked())


def release(session: Session, owner: str, rows: Sequence[Claimed]) -> None:
    """Give back rows that never reached the wire."""
    if rows:
        session.execute(_RELEASE, {"ids": [r.id for r in rows], "owner": owner})


def _of_broadcasts(session: Session, number_id: int, want: int, looked: Looked) -> list[Claimed]:
    rows: list[Claimed] = []
    waiting = list(session.execute(_RUNNING, {"number_id": number_id})) if want > 0 else []
    waiting.sort(key=lambda row: row.pace_per_s is None)  # what a slow one leaves, the last ones take
    looked.begin_again()
    looked.is_held_back = False
    while waiting and len(rows) < want:
        share = -(-(want - len(rows)) // len(waiting))
        id_, pace = waiting.pop(0)
        may = share if pace is None or looked.permit is None else looked.permit(id_, pace, share)
        found = _next_of(session, id_, may, looked) if may else []
        looked.is_held_back |= may < share and len(found) == may
        rows += found
    return rows


def _next_of(session: Session, broadcast_id: int, want: int, looked: Looked) -> list[Claimed]:
    after = looked.after.get(broadcast_id, 0)
    found = _taken(session, _NEXT_OF_BROADCAST, broadcast_id=broadcast_id, after=after, want=want)
    if after and not found:
        found = _taken(session, _NEXT_OF_BROADCAST, broadcast_id=broadcast_id, after=0, want=want)
    looked.after[broadcast_id] = found[-1].id if len(found) == want else 0
    return found


def _taken(session: Session, statement: Any, **values: object) -> list[Claimed]:  # noqa: ANN401 (a TextClause)
    """Of rows as Claimed begins: reading them by name would take as long again."""
    return sorted((Claimed(*row) for row in session.execute(statement, values)), key=lambda row: row.id)
