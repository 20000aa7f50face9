"""Where everybody of an audience stands, counted in one statement, so that the parts add up at every instant."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from sqlalchemy import text, tuple_
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.words import MessageState

PART_OF = {
    MessageState.QUEUED: "waiting",
    MessageState.CLAIMED: "waiting",
    MessageState.WIRE: "waiting",
    MessageState.ACCEPTED: "accepted",
    MessageState.FAILED: "failed",
    MessageState.SUPPRESSED: "skipped",
    MessageState.CANCELLED: "cancelled",
    MessageState.UNKNOWN: "in_doubt",
    MessageState.PRESUMED_UNSENT: "in_doubt",
}
"""Every state an outbound message can have, and the part of the audience it belongs to."""

IS_UNMADE = tuple_(AudiencePerson.wave, AudiencePerson.person_id) > tuple_(Broadcast.wave, Broadcast.cursor)
"""Of a row of a broadcast's audience: its message is not made yet."""

IN_FLIGHT = frozenset({MessageState.CLAIMED, MessageState.WIRE})

# People whose message is not made yet wait like the others, or are cancelled with the rest.
_COUNT = text("""
    SELECT broadcast_id, state, count(*) AS people, count(*) FILTER (WHERE delivery_level >= 1) AS sent,
           count(*) FILTER (WHERE delivery_level >= 2) AS delivered, count(*) FILTER (WHERE delivery_level >= 3) AS read
      FROM message WHERE broadcast_id = ANY(:ids) GROUP BY broadcast_id, state
    UNION ALL
    SELECT b.id, CASE b.state WHEN 'cancelled' THEN 'cancelled' ELSE 'queued' END, count(*), 0, 0, 0
      FROM broadcast b
      JOIN audience_person a ON a.broadcast_id = b.id AND (a.wave, a.person_id) > (b.wave, b.cursor)
     WHERE b.id = ANY(:ids) GROUP BY b.id
""")

_REASONS = text("""
    SELECT state, coalesce(error_text, 'no reason was given') AS reason, error_code AS code, count(*) AS people
      FROM message
     WHERE broadcast_id = :id AND state IN ('failed', 'suppressed')
     GROUP BY state, reason, code ORDER BY people DESC, reason LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why so many people got nothing: `part` is failed or skipped, `code` the provider's own."""

    part: str
    text: str
    code: int | None
    people: int


@dataclass(slots=True)
class Counts:
    """audience = accepted + failed + skipped + cancelled + waiting + in_doubt; the others are within these."""

    audience: int = 0
    accepted: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    waiting: int = 0
    in_doubt: int = 0
    in_flight: int = 0
    """Of those waiting: in a sender's hands right now."""
    sent: int = 0
    delivered: int = 0
    read: int = 0

    def as_dict(self) -> dict[str, int]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def counts(session: Session, broadcast_id: int) -> Counts:
    """All zero for a draft: its audience is whoever is in the segment when it is launched."""
    return counts_of(session, [broadcast_id])[broadcast_id]


def counts_of(session: Session, broadcast_ids: Sequence[int]) -> dict[int, Counts]:
    """Of several broadcasts, all at the same instant."""
    found = {broadcast_id: Counts() for broadcast_id in broadcast_ids}
    for row in session.execute(_COUNT, {"ids": list(broadcast_ids)}):
        told = found[row.broadcast_id]
        part = PART_OF[MessageState(row.state)]
        setattr(told, part, getattr(told, part) + row.people)
        told.audience += row.people
        told.in_flight += row.people if row.state in IN_FLIGHT else 0
        told.sent += row.sent
        told.delivered += row.delivered
        told.read += row.read
    return found


def reasons(session: Session, broadcast_id: int, limit: int = 10) -> list[Reason]:
    """The most frequent first."""
    found = session.execute(_REASONS, {"id": broadcast_id, "limit": limit})
    return [Reason(PART_OF[MessageState(row.state)], row.reason, row.code, row.people) for row in found]
