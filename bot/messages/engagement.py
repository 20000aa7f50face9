"""What somebody did with the messages they got: each event counts once for each message, however often it was told.

WhatsApp reports no taps on links, and no reads where receipts are switched off: what it reported is at least so much.
Links of the team's own (docs/goals.md) tell us themselves who followed them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.language import later

UNREPORTED: Final[Mapping[str, str]] = {
    "delivered": later("WhatsApp reported none"),
    "read": later("none reported: people can switch read receipts off"),
    "clicked": later("none reported: WhatsApp tells of reply buttons and lists, never of links"),
    "followed": later("only links of the team's own tell it"),
    "replied": later("none so far: an answer counts within 24 hours"),
}
"""Why a figure is unknown rather than zero."""


@dataclass(frozen=True, slots=True)
class Engagement:
    """How many messages; of what no channel reports one, None."""

    sent: int
    delivered: int | None
    read: int | None
    clicked: int | None
    followed: int | None
    """Links of the team's own, each once."""
    replied: int | None
    failed: int
    skipped: int
    """Never left: switched off, not wanted, without an address, cancelled."""
    waiting: int
    """On their way or in doubt."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A message of the person's and what of ours it answers, if anything."""

    inbound_id: int
    answered_id: int | None
    is_tap: bool


_COUNTS = text("""
    SELECT count(*) FILTER (WHERE state = 'accepted' OR delivery_level > 0) AS sent,
           count(*) FILTER (WHERE delivery_level >= 2) AS delivered,
           count(*) FILTER (WHERE delivery_level >= 3) AS read,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           count(*) FILTER (WHERE state IN ('suppressed', 'cancelled', 'presumed_unsent')) AS skipped,
           count(*) FILTER (WHERE state IN ('queued', 'claimed', 'wire', 'unknown')) AS waiting
      FROM message WHERE person_id = :person_id AND direction = 'out'
""")

_FOLLOWED = text("SELECT count(DISTINCT link_id) FROM link_click WHERE person_id = :person_id AND NOT is_preview")

# What a message quotes is what it answers; else the last one that reached them on that number within a day before.
_ANSWERS = """
    WITH heard AS (
        SELECT id, number_id, occurred_at, reply_to_provider_message_id AS target,
               kind = 'button' OR (kind = 'interactive' AND content #>> '{interactive,type}'
                                   IN ('button_reply', 'list_reply')) AS is_tap
          FROM message WHERE person_id = :person_id AND direction = 'in' AND kind <> 'reaction')
    SELECT h.id AS inbound_id, coalesce(quoted.id, latest.id) AS answered_id, h.is_tap
      FROM heard h
      LEFT JOIN message quoted ON quoted.number_id = h.number_id AND quoted.provider_message_id = h.target
                              AND quoted.direction = 'out' AND quoted.person_id = :person_id
      LEFT JOIN LATERAL (
        SELECT o.id FROM message o
         WHERE o.person_id = :person_id AND o.number_id = h.number_id AND o.direction = 'out'
           AND o.state = 'accepted' AND o.occurred_at <= h.occurred_at
           AND o.occurred_at > h.occurred_at - interval '24 hours' AND quoted.id IS NULL
         ORDER BY o.occurred_at DESC, o.id DESC LIMIT 1) latest ON true
"""
_ANSWERED = text(f"""
    SELECT count(DISTINCT answered_id) FILTER (WHERE is_tap) AS clicked, count(DISTINCT answered_id) AS replied
      FROM ({_ANSWERS}) answer
""")  # noqa: S608 (both halves are ours)
_ANSWERS_OF = text(f"{_ANSWERS} WHERE h.id = ANY(:ids) OR coalesce(quoted.id, latest.id) = ANY(:ids)")


def of_person(session: Session, person_id: int) -> Engagement:
    counted = session.execute(_COUNTS, {"person_id": person_id}).one()
    answered = session.execute(_ANSWERED, {"person_id": person_id}).one()
    followed = session.scalar(_FOLLOWED, {"person_id": person_id})
    return Engagement(
        sent=counted.sent,
        delivered=counted.delivered or None,
        read=counted.read or None,
        clicked=answered.clicked or None,
        followed=followed or None,
        replied=answered.replied or None,
        failed=counted.failed,
        skipped=counted.skipped,
        waiting=counted.waiting,
    )


def answers(session: Session, person_id: int, message_ids: list[int]) -> list[Answer]:
    """Those in which any of the messages is the answer or what is answered."""
    found: Any = session.execute(_ANSWERS_OF, {"person_id": person_id, "ids": message_ids})
    return [Answer(row.inbound_id, row.answered_id, row.is_tap) for row in found]
