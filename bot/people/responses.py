"""What people did after a broadcast reached them: a reply or an opt-out belongs to the last one that did.

How long after is the policy's `response_days`; a reply that quotes a broadcast's message belongs to that one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

# A provider tells whole seconds, so that a quick answer may seem to come before we were told of the acceptance.
_REPLIED = text("""
    INSERT INTO broadcast_response AS r
        (broadcast_id, person_id, environment, message_id, reply_message_id, replied_at)
    SELECT DISTINCT ON (m.broadcast_id, s.person_id)
           m.broadcast_id, s.person_id, m.environment, m.id, s.message_id, s.at
      FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS s(message_id bigint, person_id bigint, reply_to text, at timestamptz)
     CROSS JOIN LATERAL (
        SELECT m.id, m.broadcast_id, m.environment
          FROM message m
         WHERE m.person_id = s.person_id AND m.number_id = :number_id AND m.broadcast_id IS NOT NULL
           AND m.accepted_at BETWEEN s.at - make_interval(days => :days) AND s.at + interval '1 minute'
         ORDER BY m.provider_message_id IS NOT DISTINCT FROM s.reply_to DESC, m.accepted_at DESC LIMIT 1) m
     ORDER BY m.broadcast_id, s.person_id, s.at
    ON CONFLICT (broadcast_id, person_id) DO UPDATE
       SET reply_message_id = excluded.reply_message_id, replied_at = excluded.replied_at
     WHERE r.replied_at IS NULL OR excluded.replied_at < r.replied_at
""")

_OPTED_OUT = text("""
    INSERT INTO broadcast_response AS r (broadcast_id, person_id, environment, message_id, opted_out_at)
    SELECT m.broadcast_id, s.person_id, m.environment, m.id, s.at
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s(person_id bigint, at timestamptz)
      JOIN person p ON p.id = s.person_id
      LEFT JOIN sending_policy y ON y.environment = p.environment
     CROSS JOIN LATERAL (
        SELECT m.id, m.broadcast_id, m.environment
          FROM message m
         WHERE m.person_id = s.person_id AND m.broadcast_id IS NOT NULL
           AND m.accepted_at BETWEEN s.at - make_interval(days => coalesce(y.response_days, 3))
                                 AND s.at + interval '1 minute'
         ORDER BY m.accepted_at DESC LIMIT 1) m
     ORDER BY s.person_id
    ON CONFLICT (broadcast_id, person_id) DO UPDATE
       SET opted_out_at = least(r.opted_out_at, excluded.opted_out_at)
""")

# Most messages are of people no broadcast went to: of a number without any, nobody is looked up.
_DAYS = text("""
    SELECT coalesce(max(y.response_days), 3)
      FROM number n LEFT JOIN sending_policy y ON y.environment = n.environment
     WHERE n.id = :number_id AND EXISTS (
        SELECT 1 FROM broadcast b WHERE b.number_id = n.id AND b.launched_at > now() - interval '60 days')
    HAVING count(*) > 0
""")


def replied(session: Session, number_id: int, said: Sequence[tuple[int, int, str | None, datetime]]) -> None:
    """What was said to a number: (message id, person id, provider's id of what it quotes, time); the first counts."""
    days = session.scalar(_DAYS, {"number_id": number_id}) if said else None
    if days is None:
        return
    names = ("message_id", "person_id", "reply_to", "at")
    rows = orjson.dumps([dict(zip(names, one, strict=True)) for one in said]).decode()
    session.execute(_REPLIED, {"rows": rows, "number_id": number_id, "days": days})


def opted_out(session: Session, people: Mapping[int, datetime]) -> None:
    """Person id → when they stopped marketing."""
    if people:
        rows = orjson.dumps([{"person_id": id_, "at": at} for id_, at in sorted(people.items())]).decode()
        session.execute(_OPTED_OUT, {"rows": rows})
