"""Which of the messages that were sent got a reply: noted once, when the person's first word after it comes in.

As on the page of a person's messages, what a message quotes is what it answers; else the last one that was sent to them
on that number within the 24 hours before. Insights counts what is noted here.
"""

from collections.abc import Sequence
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

# Each part is asked of a person or a message by itself, and so by its index: joined, a plan that was made while
# there were few messages would read all of them for every batch.
_NOTE = text("""
    WITH answered AS (
        SELECT DISTINCT coalesce(quoted.id, latest.id) AS id
          FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s(person_id bigint, reply_to text, at timestamptz)
          LEFT JOIN LATERAL (
            SELECT q.id FROM message q
             WHERE q.number_id = :number_id AND q.provider_message_id = s.reply_to
               AND q.person_id = s.person_id AND q.direction = 'out' LIMIT 1) quoted ON s.reply_to IS NOT NULL
          LEFT JOIN LATERAL (
            SELECT o.id FROM message o
             WHERE o.person_id = s.person_id AND o.number_id = :number_id AND o.direction = 'out'
               AND o.state = 'accepted' AND o.occurred_at <= s.at AND o.occurred_at > s.at - interval '24 hours'
             ORDER BY o.occurred_at DESC, o.id DESC LIMIT 1) latest ON quoted.id IS NULL)
    INSERT INTO message_reply (message_id, environment, number_id, author_kind, author_id, sent_at)
    SELECT m.id, m.environment, m.number_id, m.author_kind,
           coalesce(CASE m.author_kind WHEN 'stack' THEN m.journey_id WHEN 'coach' THEN m.operator_id
                                       WHEN 'reminder' THEN m.reminder_id WHEN 'api' THEN m.token_id
                                       WHEN 'broadcast' THEN m.broadcast_id END, 0),
           m.accepted_at
      FROM answered
     CROSS JOIN LATERAL (SELECT * FROM message WHERE message.id = answered.id LIMIT 1) m
     WHERE m.accepted_at IS NOT NULL ORDER BY m.id
        ON CONFLICT DO NOTHING
""")


def note(session: Session, number_id: int, said: Sequence[tuple[int, str | None, datetime]]) -> None:
    """What was said to a number: (person id, provider's id of what it quotes, time)."""
    if said:
        names = ("person_id", "reply_to", "at")
        rows = orjson.dumps([dict(zip(names, one, strict=True)) for one in said]).decode()
        session.execute(_NOTE, {"rows": rows, "number_id": number_id})
