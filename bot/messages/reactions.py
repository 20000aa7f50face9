"""Reactions: of each person and message the latest counts, whatever order they come in; one taken back has no emoji."""

from collections.abc import Sequence

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.providers.events import ReactionChange

# Event times are whole seconds: of the same second, the one that takes back counts, else the greater emoji.
_STORE = text("""
    INSERT INTO reaction (number_id, target, person_id, environment, emoji, occurred_at)
    SELECT DISTINCT ON (number_id, target, person_id) number_id, target, person_id, environment, emoji, at
      FROM jsonb_to_recordset(CAST(:rows AS jsonb))
            AS t(number_id bigint, target text, person_id bigint, environment text, emoji text, at timestamptz)
     ORDER BY number_id, target, person_id, at DESC, emoji IS NULL DESC, emoji DESC
    ON CONFLICT (number_id, target, person_id) DO UPDATE
       SET emoji = excluded.emoji, occurred_at = excluded.occurred_at
     WHERE (excluded.occurred_at, excluded.emoji IS NULL, coalesce(excluded.emoji, ''))
         > (reaction.occurred_at, reaction.emoji IS NULL, coalesce(reaction.emoji, ''))
""")


def apply(session: Session, told: Sequence[tuple[Number, int, ReactionChange]]) -> None:
    """Attach and detach, by the provider's id of the message reacted to; that message need not be known."""
    if told:
        rows = [
            {
                "number_id": number.id,
                "target": change.target,
                "person_id": person_id,
                "environment": number.environment,
                "emoji": change.emoji,
                "at": change.occurred_at,
            }
            for number, person_id, change in told
        ]
        session.execute(_STORE, {"rows": orjson.dumps(rows).decode()})
