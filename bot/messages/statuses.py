"""What a provider reports of a message: kept as told, and merged so that neither order nor repeats matter.

The shown state is a function of the set of reports: read beats delivered beats sent; a failure counts only while
nothing better than sent is known. `read` implies delivered. See docs/sending.md.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.messages import callback, echoes, opt_outs
from bot.messages.opt_outs import Refused
from bot.models.connection import Number
from bot.providers.events import StatusUpdate

BY_MARK = "callback"
BY_RECIPIENT = "recipient"
"""How a report settles a message in doubt: by the mark it carries, or because nobody else can be meant."""

_LATE = 10_000
"""Orphans that one sweep looks at, the newest first: another system on the same number may leave millions."""

# A mark only counts for a message of the same number and for an attempt that was made: anything else is forged. A
# report with our mark and the provider's id of an echo shows that the two are one message.
_STORE = text("""
    WITH told AS MATERIALIZED (
        SELECT t.*, marked.id AS marked_id, known.id AS known_id, known.evidence = 'echo' AS is_echo
          FROM jsonb_to_recordset(CAST(:rows AS jsonb))
                AS t(number_id bigint, provider_id text, status text, at timestamptz, callback text, id bigint,
                     attempt bigint, recipient text, code bigint, text text)
          LEFT JOIN message marked ON marked.id = t.id AND marked.number_id = t.number_id
                                  AND marked.direction = 'out' AND t.attempt <= marked.attempt
          LEFT JOIN message known ON known.number_id = t.number_id AND known.provider_message_id = t.provider_id
                                 AND known.direction = 'out'),
    stored AS (
        INSERT INTO status_event
            (number_id, provider_message_id, message_id, status, occurred_at, callback, recipient, error_code,
             error_text)
        SELECT number_id, provider_id, coalesce(marked_id, known_id), status, at, callback, recipient, code, text
          FROM told
        ON CONFLICT DO NOTHING
        RETURNING message_id)
    SELECT 'heard' AS what, message_id, CAST(NULL AS bigint) AS echo_id, CAST(NULL AS bigint) AS number_id FROM stored
     WHERE message_id IS NOT NULL
    UNION ALL
    SELECT 'echoed', marked_id, known_id, NULL FROM told WHERE marked_id <> known_id AND is_echo
    UNION ALL
    SELECT 'forged', NULL, NULL, number_id FROM told WHERE id IS NOT NULL AND marked_id IS NULL
""")

# LATERAL asks for each message's few reports by their index: a join of the two would read every report there ever was
# as long as PostgreSQL's statistics are those of a smaller table.
_MERGE = text("""
    WITH held AS (
        SELECT id FROM message WHERE id = ANY(:ids) ORDER BY id FOR UPDATE),
    heard AS (
        SELECT held.id, told.* FROM held CROSS JOIN LATERAL (
        SELECT min(e.occurred_at) FILTER (WHERE e.status = 'sent') AS sent_at,
               min(e.occurred_at) FILTER (WHERE e.status = 'delivered') AS delivered_at,
               min(e.occurred_at) FILTER (WHERE e.status = 'read') AS read_at,
               min(e.occurred_at) FILTER (WHERE e.status = 'failed') AS failed_at,
               max(CASE e.status WHEN 'sent' THEN 1 WHEN 'delivered' THEN 2 WHEN 'read' THEN 3 WHEN 'played' THEN 4
                                 ELSE 0 END) AS level,
               (array_agg(e.error_code ORDER BY e.occurred_at) FILTER (WHERE e.status = 'failed'))[1] AS code,
               (array_agg(e.error_text ORDER BY e.occurred_at) FILTER (WHERE e.status = 'failed'))[1] AS text,
               (array_agg(e.provider_message_id ORDER BY e.occurred_at, e.id))[1] AS provider_id,
               min(e.created_at) AS first_heard_at
          FROM status_event e
         WHERE e.message_id = held.id AND e.status IN ('sent', 'delivered', 'read', 'played', 'failed')) told
         WHERE told.level IS NOT NULL),
    merged AS (
        UPDATE message m
           SET delivery_level = greatest(m.delivery_level, h.level),
               sent_at = h.sent_at,
               delivered_at = h.delivered_at,
               read_at = h.read_at,
               failed_at = h.failed_at,
               state = CASE WHEN h.failed_at IS NOT NULL AND h.level < 2 THEN 'failed' ELSE 'accepted' END,
               error_code = CASE WHEN h.failed_at IS NOT NULL AND h.level < 2 THEN h.code END,
               error_text = CASE WHEN h.failed_at IS NOT NULL AND h.level < 2 THEN h.text END,
               provider_message_id = coalesce(m.provider_message_id, h.provider_id),
               accepted_at = coalesce(m.accepted_at, h.first_heard_at),
               evidence = coalesce(m.evidence, :evidence),
               owner = CASE WHEN m.state IN ('queued', 'claimed') THEN NULL ELSE m.owner END,
               lease_until = NULL
          FROM heard h WHERE m.id = h.id
        RETURNING m.number_id, m.person_id, m.error_code, m.failed_at)
    SELECT * FROM merged WHERE error_code = ANY(:opt_outs)
""").bindparams(opt_outs=sorted(opt_outs.CODES))

_ADOPT = text("""
    WITH known AS (
        SELECT * FROM unnest(CAST(:numbers AS bigint[]), CAST(:provider_ids AS text[]), CAST(:ids AS bigint[]))
            AS k(number_id, provider_id, id))
    UPDATE status_event e SET message_id = known.id FROM known
     WHERE e.number_id = known.number_id AND e.provider_message_id = known.provider_id AND e.message_id IS NULL
    RETURNING known.id
""")

_ADOPT_LATE = text("""
    WITH newest AS (
        SELECT id, number_id, provider_message_id FROM status_event
         WHERE message_id IS NULL ORDER BY id DESC LIMIT :late)
    UPDATE status_event e SET message_id = m.id FROM newest, message m
     WHERE e.id = newest.id AND e.message_id IS NULL AND m.number_id = newest.number_id
       AND m.provider_message_id = newest.provider_message_id AND m.direction = 'out'
    RETURNING m.id
""")


def apply(session: Session, updates: Sequence[tuple[Number, StatusUpdate]]) -> list[int]:
    """Store reports (each kind and time of a message once) and bring their messages up to date, in bulk.

    A report whose message is unknown waits as an orphan. One that carries our mark settles a message in doubt. The
    ids of numbers whose reports carried a mark that no message of theirs ever had, once for each.
    """
    if not updates:
        return []
    rows = orjson.dumps([_as_told(number, update) for number, update in updates]).decode()
    found = session.execute(_STORE, {"rows": rows}).all()
    echoes.absorb(session, [(row.message_id, row.echo_id) for row in found if row.what == "echoed"])
    merge(session, [row.message_id for row in found])
    return [row.number_id for row in found if row.what == "forged"]


def adopt(session: Session, known: Sequence[tuple[int, str, int]], evidence: str = BY_MARK) -> None:
    """Give orphans to messages whose provider id is known just now: (number id, provider message id, message id)."""
    if known:
        numbers, provider_ids, ids = zip(*known, strict=True)
        found = session.scalars(
            _ADOPT, {"numbers": list(numbers), "provider_ids": list(provider_ids), "ids": list(ids)}
        )
        merge(session, found, evidence)


def adopt_late(session: Session) -> None:
    """The sweep's share: an orphan stored in the same instant as its message's id is seen by neither of the two."""
    merge(session, session.scalars(_ADOPT_LATE, {"late": _LATE}))


def _as_told(number: Number, update: StatusUpdate) -> dict[str, Any]:
    marked = callback.read(update.callback)
    return {
        "number_id": number.id,
        "provider_id": update.message_id,
        "status": update.status,
        "at": update.occurred_at,
        "callback": update.callback,
        "id": marked and marked[0],
        "attempt": marked and marked[1],
        "recipient": update.recipient,
        "code": update.error_code,
        "text": update.error_text,
    }


def merge(session: Session, message_ids: Iterable[Any], evidence: str = BY_MARK) -> None:
    """Bring messages up to date with all that was reported of them; those nothing was reported of stay as they are.

    A failure that means an opt-out is remembered of its person.
    """
    ids = sorted({id_ for id_ in message_ids if id_ is not None})
    if ids:
        refused = session.execute(_MERGE, {"ids": ids, "evidence": evidence}).all()
        opt_outs.remember(session, [Refused(*row) for row in refused])
