"""Where everybody of an audience stands, counted in one statement, so that the parts add up at every instant."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, case, text, tuple_, type_coerce
from sqlalchemy.orm import Session

from bot.models.broadcast import AudiencePerson, Broadcast
from bot.models.words import MessageState
from broadcasts.audience.waves import REST
from broadcasts.results import reasons
from broadcasts.results.reasons import NO_REASON

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

UNDECIDED = -1
"""In place of a variant: whoever waits for the winner of a trial."""


def to_come(broadcast: Broadcast) -> ColumnElement[int]:
    """Of a row of its audience without a message: the variant that it will be, or UNDECIDED."""
    if not (broadcast.trial_percent and broadcast.winner_metric):
        return type_coerce(AudiencePerson.variant, Integer)
    winner = UNDECIDED if broadcast.winner is None else broadcast.winner
    return case((AudiencePerson.wave == REST, winner), else_=AudiencePerson.variant)


IN_FLIGHT = frozenset({MessageState.CLAIMED, MessageState.WIRE})
RECENT_S = 10

# People whose message is not made yet wait like the others, or are cancelled with the rest. What is the same of a whole
# group is told once for the group, and not once for each message.
_COUNT = text(f"""
    WITH counted AS (
        SELECT m.broadcast_id, m.wording_id, m.state, m.error_text, m.error_code, m.delivery_level AS level,
               count(*) AS people, count(m.wire_at) AS wired,
               count(r.replied_at) AS replied, count(r.opted_out_at) AS opted_out,
               count(*) FILTER (WHERE m.wire_at > (SELECT now() - make_interval(secs => {RECENT_S}))) AS recent,
               count(*) FILTER (WHERE m.state = 'queued' AND m.not_before > now()) AS later,
               min(m.not_before) FILTER (WHERE m.state = 'queued' AND m.not_before > now()) AS later_from,
               max(m.not_before) FILTER (WHERE m.state = 'queued' AND m.not_before > now()) AS later_until,
               min(m.unknown_at) AS unknown_from
          FROM message m
          LEFT JOIN broadcast_response r ON r.broadcast_id = m.broadcast_id AND r.person_id = m.person_id
         WHERE m.broadcast_id = ANY(:ids) GROUP BY 1, 2, 3, 4, 5, 6)
    SELECT broadcast_id, wording_id, state,
           CASE WHEN state IN ('failed', 'suppressed') THEN coalesce(error_text, '{NO_REASON}') END AS reason,
           CASE WHEN state IN ('failed', 'suppressed') THEN error_code END AS code,
           NULL AS unmade_variant, people,
           CASE state WHEN 'accepted' THEN people ELSE wired END AS attempted,
           CASE WHEN level >= 1 THEN people ELSE 0 END AS sent,
           CASE WHEN level >= 2 THEN people ELSE 0 END AS delivered,
           CASE WHEN level >= 3 THEN people ELSE 0 END AS read,
           replied, opted_out, recent, later, later_from, later_until,
           CASE WHEN state IN ('unknown', 'presumed_unsent') THEN unknown_from END AS doubt_since
      FROM counted
    UNION ALL
    SELECT b.id, NULL, CASE b.state WHEN 'cancelled' THEN 'cancelled' ELSE 'queued' END, NULL, NULL,
           CASE WHEN a.wave = {REST} AND b.trial_percent > 0 AND b.winner_metric IS NOT NULL
                THEN coalesce(b.winner, {UNDECIDED}) ELSE a.variant END AS unmade_variant,
           count(*), 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL
      FROM broadcast b
      JOIN audience_person a ON a.broadcast_id = b.id AND (a.wave, a.person_id) > (b.wave, b.cursor)
     WHERE b.id = ANY(:ids) GROUP BY b.id, 6
""")  # noqa: S608 (constants of ours)

# What stands in indexes alone: for lists of many broadcasts.
_OUTLINE = text("""
    SELECT broadcast_id, state, count(*) AS people, 0 AS replied
      FROM message WHERE broadcast_id = ANY(:ids) GROUP BY 1, 2
    UNION ALL
    SELECT b.id, CASE b.state WHEN 'cancelled' THEN 'cancelled' ELSE 'queued' END, count(*), 0
      FROM broadcast b
      JOIN audience_person a ON a.broadcast_id = b.id AND (a.wave, a.person_id) > (b.wave, b.cursor)
     WHERE b.id = ANY(:ids) GROUP BY b.id
    UNION ALL
    SELECT broadcast_id, 'queued', 0, count(replied_at)
      FROM broadcast_response WHERE broadcast_id = ANY(:ids) GROUP BY 1
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
    attempted: int = 0
    """Was on the wire, whatever became of it."""
    sent: int = 0
    delivered: int = 0
    read: int = 0
    replied: int = 0
    opted_out: int = 0
    unread: int = 0
    unreplied: int = 0
    """Of those accepted, who has not read it, or shows nobody that they have, and who has not replied."""

    def as_dict(self) -> dict[str, int]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def add(self, row: Row[Any]) -> None:
        """A row of the count."""
        part = self.add_part(row.state, row.people)
        for name in ("attempted", "sent", "delivered", "read", "replied", "opted_out"):
            setattr(self, name, getattr(self, name) + getattr(row, name))
        if part == "accepted":
            self.unread += row.people - row.read
            self.unreplied += row.people - row.replied

    def add_part(self, state: str, people: int) -> str:
        part = PART_OF[MessageState(state)]
        setattr(self, part, getattr(self, part) + people)
        self.audience += people
        self.in_flight += people if state in IN_FLIGHT else 0
        return part

    def add_up(self, other: "Counts") -> None:
        for name, people in other.as_dict().items():
            setattr(self, name, getattr(self, name) + people)


@dataclass(slots=True)
class Figures:
    """All there is to say about one broadcast in numbers, as of one instant."""

    counts: Counts = field(default_factory=Counts)
    wordings: dict[int | None, Counts] = field(default_factory=lambda: defaultdict(Counts))
    """By wording, None for the broadcast's own; of those whose message is made."""
    unmade: dict[int, Counts] = field(default_factory=lambda: defaultdict(Counts))
    """By variant, or UNDECIDED, those who have no message yet."""
    reasons: list[Reason] = field(default_factory=list)
    """The most frequent first."""
    per_s: float = 0.0
    """What left for the provider, over the last RECENT_S seconds."""
    later: int = 0
    """Of those waiting: not before `later_from`, the earliest such time, and the last of them at `later_until`."""
    later_from: datetime | None = None
    later_until: datetime | None = None
    doubt_since: datetime | None = None
    unsent: int = 0
    """Of those in doubt: presumed never to have got it."""


def counts(session: Session, broadcast_id: int) -> Counts:
    """All zero for a draft: its audience is whoever is in the segment when it is launched."""
    return counts_of(session, [broadcast_id])[broadcast_id]


def counts_of(session: Session, broadcast_ids: Sequence[int]) -> dict[int, Counts]:
    """Of several broadcasts, all at the same instant."""
    found = {broadcast_id: Counts() for broadcast_id in broadcast_ids}
    for row in session.execute(_COUNT, {"ids": list(broadcast_ids)}):
        found[row.broadcast_id].add(row)
    return found


def outlines_of(session: Session, broadcast_ids: Sequence[int]) -> dict[int, Counts]:
    """The parts and who replied, and nothing within them: of many broadcasts, a tenth of the work."""
    found = {broadcast_id: Counts() for broadcast_id in broadcast_ids}
    for row in session.execute(_OUTLINE, {"ids": list(broadcast_ids)}):
        found[row.broadcast_id].add_part(row.state, row.people)
        found[row.broadcast_id].replied += row.replied
    return found


def figures(session: Session, broadcast_id: int) -> Figures:
    found, rows = Figures(), session.execute(_COUNT, {"ids": [broadcast_id]}).all()
    for row in rows:
        found.counts.add(row)
        if row.unmade_variant is None:
            found.wordings[row.wording_id].add(row)
        else:
            found.unmade[row.unmade_variant].add(row)
        found.per_s += row.recent / RECENT_S
        found.later += row.later
        found.unsent += row.people if row.state == MessageState.PRESUMED_UNSENT else 0
    found.later_from = _earliest(row.later_from for row in rows)
    found.later_until = max((row.later_until for row in rows if row.later_until is not None), default=None)
    found.doubt_since = _earliest(row.doubt_since for row in rows)
    found.reasons = _reasons(rows)
    return found


def _reasons(rows: Iterable[Row[Any]]) -> list[Reason]:
    people: dict[tuple[str, str, int | None], int] = defaultdict(int)
    for row in rows:
        if row.reason is not None:
            people[PART_OF[MessageState(row.state)], reasons.words(row.reason, row.code), row.code] += row.people
    return sorted(
        (Reason(*why, count) for why, count in people.items()), key=lambda one: (-one.people, one.text, one.code or 0)
    )


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((at for at in times if at is not None), default=None)
