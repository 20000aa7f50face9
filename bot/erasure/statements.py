"""What becomes of a person's rows, table by table: emptied where they count, deleted where they only say something.

Each statement can be repeated. They take :id, :environment, :spoken (patterns of what names the person), :spellings.
"""

from typing import Final

from sqlalchemy import TextClause, text

FORGOTTEN_ID: Final = "encode(sha256(convert_to({number} || ':' || {id}, 'UTF8')), 'hex')"
"""What stands for a provider's message id: those of WhatsApp hold the phone number. What comes late is known by it."""
PREFIX: Final = "erased:"

GONE: Final = "the person of this message was erased"

_FORGOTTEN = f"'{PREFIX}' || {FORGOTTEN_ID.format(number='m.number_id', id='m.provider_message_id')}"
_IS_REMEMBERED = f"provider_message_id NOT LIKE '{PREFIX}%'"

HOLD: Final = (
    # As everywhere: messages before people, so that a sender's round and this one never wait for each other.
    text("SELECT id FROM message WHERE person_id = :id ORDER BY id FOR UPDATE"),
    text("SELECT id FROM person WHERE id = :id FOR UPDATE"),
)

# What is found by the ids of messages goes first, for then the ids go.
_BY_MESSAGE_ID = (
    (
        "reports",
        f"""
        UPDATE status_event e
           SET recipient = NULL,
               error_text = CASE WHEN e.error_text ILIKE ANY(CAST(:spoken AS text[])) THEN NULL ELSE e.error_text END,
               provider_message_id = CASE WHEN e.{_IS_REMEMBERED} THEN {_FORGOTTEN.replace("m.", "e.")}
                                          ELSE e.provider_message_id END
          FROM message m
         WHERE m.person_id = :id AND e.message_id = m.id
        """,  # noqa: S608 (put together from constants)
    ),
    (
        "reports",
        """
        DELETE FROM status_event e
         WHERE e.message_id IS NULL
           AND (e.recipient = ANY(CAST(:spellings AS text[]))
                OR EXISTS (SELECT FROM message m WHERE m.person_id = :id AND m.number_id = e.number_id
                              AND m.provider_message_id = e.provider_message_id))
        """,
    ),
    (
        "changes",
        """
        DELETE FROM message_change c
         WHERE c.person_id = :id
            OR c.message_id IN (SELECT id FROM message WHERE person_id = :id)
            OR EXISTS (SELECT FROM message m WHERE m.person_id = :id AND m.number_id = c.number_id
                          AND m.provider_message_id = c.target)
        """,
    ),
    ("reactions", "DELETE FROM reaction WHERE person_id = :id"),
    (
        "files",
        """
        UPDATE media f
           SET state = 'refused', reason = 'The file was deleted.', name = NULL, url = NULL, sha256 = NULL,
               provider_media_id = NULL, lease_until = NULL
          FROM message m WHERE m.id = f.message_id AND m.person_id = :id
        """,
    ),
    (
        "API receipts",
        "DELETE FROM api_request WHERE message_id IN (SELECT id FROM message WHERE person_id = :id)",
    ),
)

# On the wire nothing can be called back: the row keeps its owner, whose answer it waits for. In doubt it has none, so
# that an answer that comes after all writes down nothing.
_MESSAGES = (
    "messages",
    f"""
    UPDATE message m
       SET body = NULL, content = NULL, original = NULL, to_address = NULL, reply_to_provider_message_id = NULL,
           provider_message_id = CASE WHEN m.{_IS_REMEMBERED} THEN {_FORGOTTEN} ELSE m.provider_message_id END,
           source_key = CASE WHEN m.source_key ~ '^(api|c):' THEN NULL ELSE m.source_key END,
           error_text = CASE WHEN m.error_text ILIKE ANY(CAST(:spoken AS text[])) THEN NULL
                             WHEN m.state IN ('queued', 'claimed') THEN :gone ELSE m.error_text END,
           state = CASE WHEN m.state IN ('queued', 'claimed') THEN 'cancelled' ELSE m.state END,
           owner = CASE WHEN m.state = 'wire' THEN m.owner END,
           lease_until = CASE WHEN m.state = 'wire' THEN m.lease_until END
     WHERE m.person_id = :id
    """,  # noqa: S608 (put together from constants)
)

_TALK = (
    (
        "episodes",
        """
        UPDATE episode e
           SET closed_at = greatest(clock_timestamp(), e.opened_at), closed_by_operator_id = :operator_id,
               closed_without_reply = NOT EXISTS (
                   SELECT FROM message m
                    WHERE m.person_id = c.person_id AND m.number_id = c.number_id
                      AND m.author_kind IN ('coach', 'app') AND m.occurred_at >= e.opened_at)
          FROM conversation c
         WHERE c.person_id = :id AND e.conversation_id = c.id AND e.closed_at IS NULL
        """,
    ),
    (
        "notes",
        "DELETE FROM note WHERE conversation_id IN (SELECT id FROM conversation WHERE person_id = :id)",
    ),
    (
        "held replies",
        "DELETE FROM held_reply WHERE conversation_id IN (SELECT id FROM conversation WHERE person_id = :id)",
    ),
    (
        "conversations",
        "UPDATE conversation SET state = 'closed', unread_count = 0, waiting_since = NULL WHERE person_id = :id",
    ),
    (
        "journeys",
        "UPDATE journey_run SET state = 'replaced', ended_at = now() WHERE person_id = :id AND state = 'waiting'",
    ),
    (
        "reminders",
        """
        UPDATE reminder SET name = 'erased', text = '',
               state = CASE WHEN state = 'scheduled' THEN 'cancelled' ELSE state END
         WHERE person_id = :id
        """,
    ),
)

_KNOWN = (
    ("consent", "DELETE FROM consent_event WHERE person_id = :id"),
    ("preferences", "DELETE FROM preference WHERE person_id = :id"),
    ("segments", "DELETE FROM segment_member WHERE person_id = :id"),
    ("audiences", "DELETE FROM audience_person WHERE person_id = :id"),
    ("merges", "DELETE FROM person_merge WHERE person_id = :id"),
    ("events", "DELETE FROM person_event WHERE person_id = :id"),
    ("clicks", "DELETE FROM link_click WHERE person_id = :id"),
    ("notes for an undo", "DELETE FROM import_change WHERE person_id = :id"),
    ("addresses", "DELETE FROM address WHERE person_id = :id"),
    (
        "people",
        """
        UPDATE person
           SET distinct_id = concat('erased-', left(gen_random_uuid()::text, 13)), distinct_id_given = false,
               nickname = NULL, first_name = NULL, last_name = NULL, time_zone = NULL, language = NULL,
               attributes = '{}', enabled = false, answers_only = false, marketing_opted_out_at = NULL,
               import_id = NULL, erased_at = now(), updated_at = now()
         WHERE id = :id AND erased_at IS NULL
        """,
    ),
)

_ALERTS = (
    "alerts",
    """
    UPDATE alert SET text = :gone_alert, detail = '{}'
     WHERE text ILIKE ANY(CAST(:named AS text[])) OR detail::text ILIKE ANY(CAST(:named AS text[]))
    """,
)


def _prepared(*told: tuple[str, str]) -> tuple[tuple[str, TextClause], ...]:
    return tuple((name, text(statement)) for name, statement in told)


AGAIN: Final = _prepared(*_BY_MESSAGE_ID, _MESSAGES)
"""Once more, for what an answer of the provider has added meanwhile."""
ALL: Final = (*AGAIN, *_prepared(*_TALK, *_KNOWN, _ALERTS))
