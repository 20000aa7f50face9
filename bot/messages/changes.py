"""Edits and deletions: kept as told, and merged so that neither their order nor repeats matter.

What a message shows is a function of the set: the wording of the newest edit, the time of the first deletion.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.models.connection import Number
from bot.models.words import ChangeKind
from bot.providers.events import MessageEdit, MessageRevoke

Change = MessageEdit | MessageRevoke

_LATE = 1_000
"""Orphans that one sweep looks at, the newest first."""

# People change what they said themselves, the business what it said: anything else waits for ever.
_MAY = """
    (c.person_id IS NULL AND m.direction = 'out' OR c.person_id = m.person_id AND m.direction = 'in')
"""

_STORE = text(f"""
    INSERT INTO message_change
        (number_id, person_id, provider_message_id, target, message_id, kind, message_kind, body, content, occurred_at)
    SELECT c.number_id, c.person_id, c.provider_id, c.target, m.id, c.kind, c.message_kind, c.body, c.content, c.at
      FROM jsonb_to_recordset(CAST(:rows AS jsonb))
            AS c(number_id bigint, person_id bigint, provider_id text, target text, kind text, message_kind text,
                 body text, content jsonb, at timestamptz)
      LEFT JOIN message m ON m.number_id = c.number_id AND m.provider_message_id = c.target AND {_MAY}
    ON CONFLICT (number_id, provider_message_id) DO NOTHING
    RETURNING message_id
""")  # noqa: S608 (put together from constants)

_ADOPT = text(f"""
    UPDATE message_change c SET message_id = m.id FROM message m
     WHERE m.id = ANY(CAST(:ids AS bigint[])) AND c.number_id = m.number_id AND c.target = m.provider_message_id
       AND c.message_id IS NULL AND {_MAY}
    RETURNING m.id
""")  # noqa: S608 (as above)

_ADOPT_LATE = text(f"""
    WITH newest AS (
        SELECT id FROM message_change WHERE message_id IS NULL ORDER BY id DESC LIMIT :late)
    UPDATE message_change c SET message_id = m.id FROM newest, message m
     WHERE c.id = newest.id AND c.message_id IS NULL AND m.number_id = c.number_id
       AND m.provider_message_id = c.target AND {_MAY}
    RETURNING m.id
""")  # noqa: S608 (as above)

_MERGE = text("""
    WITH held AS (
        SELECT id FROM message WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE),
    told AS (
        SELECT held.id,
               min(c.occurred_at) FILTER (WHERE c.kind = 'revoke') AS revoked_at,
               (array_agg(c.id ORDER BY c.occurred_at DESC, c.provider_message_id DESC)
                   FILTER (WHERE c.kind = 'edit'))[1] AS newest_id
          FROM held JOIN message_change c ON c.message_id = held.id
         GROUP BY held.id)
    UPDATE message m
       SET revoked_at = told.revoked_at,
           edited_at = newest.occurred_at,
           original = CASE WHEN newest.id IS NULL THEN m.original
                           ELSE coalesce(m.original, jsonb_build_object('kind', m.kind, 'body', m.body,
                                                                        'content', m.content)) END,
           kind = coalesce(newest.message_kind, m.kind),
           body = CASE WHEN newest.id IS NULL THEN m.body ELSE newest.body END,
           content = CASE WHEN newest.id IS NULL THEN m.content ELSE newest.content END
      FROM told LEFT JOIN message_change newest ON newest.id = told.newest_id
     WHERE m.id = told.id
""")


def apply(session: Session, told: Sequence[tuple[Number, int | None, Change]]) -> None:
    """Store changes with who made them (None: the business) and bring their messages up to date, in bulk.

    A change whose message is unknown waits; so does, for ever, a change of what somebody else said.
    """
    if told:
        rows = orjson.dumps([_as_told(number, person_id, change) for number, person_id, change in told]).decode()
        merge(session, session.scalars(_STORE, {"rows": rows}))


def adopt(session: Session, message_ids: Sequence[int]) -> None:
    """Change messages that were stored just now by what was told of them before."""
    if message_ids:
        merge(session, session.scalars(_ADOPT, {"ids": list(message_ids)}))


def adopt_late(session: Session) -> None:
    """The sweep's share: a change stored in the same instant as its message is seen by neither of the two."""
    merge(session, session.scalars(_ADOPT_LATE, {"late": _LATE}))


def merge(session: Session, message_ids: Iterable[int | None]) -> None:
    ids = sorted({id_ for id_ in message_ids if id_ is not None})
    if ids:
        session.execute(_MERGE, {"ids": ids})


def _as_told(number: Number, person_id: int | None, change: Change) -> dict[str, Any]:
    wording = (change.kind, change.body, change.content) if isinstance(change, MessageEdit) else (None, None, None)
    message_kind, body, content = wording
    return {
        "number_id": number.id,
        "person_id": person_id,
        "provider_id": change.message_id,
        "target": change.target,
        "kind": ChangeKind.EDIT if isinstance(change, MessageEdit) else ChangeKind.REVOKE,
        "message_kind": message_kind,
        "body": body,
        "content": content,
        "at": change.occurred_at,
    }
