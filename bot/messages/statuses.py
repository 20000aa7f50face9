"""What a provider reports of a message: kept as told, and merged so that neither order nor repeats matter.

The shown state is a function of the set of reports: read beats delivered beats sent; a failure counts only while
nothing better than sent is known. `read` implies delivered. See docs/sending.md.
"""

from collections.abc import Iterable, Sequence
from typing import Any

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

# Whoever is found by the mark is not looked for by the provider's id as well, if it is theirs: NULL finds nobody.
# A mark only counts for a message of the same number and for an attempt that was made: anything else is forged. A
# report with our mark and the provider's id of an echo shows that the two are one message.
# Messages are held first and by id, as senders hold them. What is told of one that is accepted is added to it at once,
# for its times only ever move back and its level up; of any other, all that was ever told is merged by `_MERGE`.
_STORE = text("""
    WITH told AS MATERIALIZED (
        SELECT t.*, marked.id AS marked_id, known.id AS known_id, known.evidence = 'echo' AS is_echo
          FROM unnest(CAST(:numbers AS bigint[]), CAST(:provider_ids AS text[]), CAST(:statuses AS text[]),
                      CAST(:times AS timestamptz[]), CAST(:callbacks AS text[]), CAST(:ids AS bigint[]),
                      CAST(:attempts AS bigint[]), CAST(:recipients AS text[]), CAST(:codes AS bigint[]),
                      CAST(:texts AS text[]))
                AS t(number_id, provider_id, status, at, callback, id, attempt, recipient, code, text)
          LEFT JOIN message marked ON marked.id = t.id AND marked.number_id = t.number_id
                                  AND marked.direction = 'out' AND t.attempt <= marked.attempt
          LEFT JOIN message known ON known.number_id = t.number_id AND known.direction = 'out'
                                 AND known.provider_message_id
                                   = CASE WHEN marked.provider_message_id = t.provider_id THEN NULL
                                          ELSE t.provider_id END),
    held AS MATERIALIZED (
        SELECT id FROM message WHERE id = ANY(ARRAY(SELECT coalesce(marked_id, known_id) FROM told))
         ORDER BY id FOR NO KEY UPDATE),
    stored AS (
        INSERT INTO status_event
            (number_id, provider_message_id, message_id, status, occurred_at, callback, recipient, error_code,
             error_text)
        SELECT number_id, provider_id, held.id, status, at, callback, recipient, code, text
          FROM told LEFT JOIN held ON held.id = coalesce(marked_id, known_id)
        ON CONFLICT DO NOTHING
        RETURNING message_id, status, occurred_at),
    heard AS (
        SELECT message_id AS id, min(occurred_at) FILTER (WHERE status = 'sent') AS sent_at,
               min(occurred_at) FILTER (WHERE status = 'delivered') AS delivered_at,
               min(occurred_at) FILTER (WHERE status = 'read') AS read_at,
               max(CASE status WHEN 'sent' THEN 1 WHEN 'delivered' THEN 2 WHEN 'read' THEN 3 END) AS level,
               bool_and(status IN ('sent', 'delivered', 'read')) AS is_plain
          FROM stored WHERE message_id IS NOT NULL GROUP BY message_id),
    added AS (
        UPDATE message m
           SET delivery_level = greatest(m.delivery_level, h.level),
               sent_at = least(m.sent_at, h.sent_at),
               delivered_at = least(m.delivered_at, h.delivered_at),
               read_at = least(m.read_at, h.read_at)
          FROM heard h
         WHERE m.id = h.id AND h.is_plain AND m.state = 'accepted' AND m.failed_at IS NULL
           AND m.provider_message_id IS NOT NULL AND m.accepted_at IS NOT NULL AND m.evidence IS NOT NULL
        RETURNING m.id)
    SELECT 'heard' AS what, id AS message_id, CAST(NULL AS bigint) AS echo_id, CAST(NULL AS bigint) AS number_id
      FROM heard WHERE NOT EXISTS (SELECT FROM added WHERE added.id = heard.id)
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
               (error_code, error_text) = (
                   SELECT e.error_code, e.error_text FROM status_event e
                    WHERE h.failed_at IS NOT NULL AND h.level < 2 AND e.message_id = h.id AND e.status = 'failed'
                    ORDER BY e.occurred_at LIMIT 1),
               provider_message_id = CASE WHEN m.provider_message_id IS NOT NULL THEN m.provider_message_id
                                          ELSE (SELECT e.provider_message_id FROM status_event e
                                                 WHERE e.message_id = h.id
                                                   AND e.status IN ('sent', 'delivered', 'read', 'played', 'failed')
                                                 ORDER BY e.occurred_at, e.id LIMIT 1) END,
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
    found = session.execute(_STORE, _as_told(updates)).all()
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


def _as_told(updates: Sequence[tuple[Number, StatusUpdate]]) -> dict[str, list[Any]]:
    marks = [callback.read(update.callback) or (None, None) for _, update in updates]
    return {
        "numbers": [number.id for number, _ in updates],
        "provider_ids": [update.message_id for _, update in updates],
        "statuses": [update.status for _, update in updates],
        "times": [update.occurred_at for _, update in updates],
        "callbacks": [update.callback for _, update in updates],
        "ids": [id_ for id_, _ in marks],
        "attempts": [attempt for _, attempt in marks],
        "recipients": [update.recipient for _, update in updates],
        "codes": [update.error_code for _, update in updates],
        "texts": [update.error_text for _, update in updates],
    }


def merge(session: Session, message_ids: Iterable[Any], evidence: str = BY_MARK) -> None:
    """Bring messages up to date with all that was reported of them; those nothing was reported of stay as they are.

    A failure that means an opt-out is remembered of its person.
    """
    ids = sorted({id_ for id_ in message_ids if id_ is not None})
    if ids:
        refused = session.execute(_MERGE, {"ids": ids, "evidence": evidence}).all()
        opt_outs.remember(session, [Refused(*row) for row in refused])
