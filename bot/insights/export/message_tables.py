"""What was said, and what became of it."""

from typing import Final

from bot.conversations.threads import SILENT_KINDS
from bot.insights.export.shapes import Table, boolean, integer, key, person, private, refers, time, word

_SILENT = ", ".join(f"'{kind}'" for kind in sorted(SILENT_KINDS))
_AUTHOR = """CASE m.author_kind WHEN 'stack' THEN m.journey_id WHEN 'coach' THEN m.operator_id
    WHEN 'reminder' THEN m.reminder_id WHEN 'api' THEN m.token_id WHEN 'broadcast' THEN m.broadcast_id END"""
_TO = """CASE WHEN m.to_address ~ '^[+]?[0-9]' THEN country_of_phone(m.to_address)
    WHEN m.to_address ~ '^[A-Z][A-Z][.]' THEN left(m.to_address, 2) END"""

_NOT_YET = "It has not happened, or nothing was heard of it."

MESSAGES: Final = Table(
    "messages",
    "Everything said, both ways. A broadcast's recipients are its messages. Comes again whenever its state changes.",
    ("id",),
    "FROM message m LEFT JOIN message_reply r ON r.message_id = m.id WHERE m.environment = :environment",
    (
        key("m.id", "The message."),
        refers("m.number_id", "numbers"),
        person("m.person_id", "With whom."),
        word("m.direction", "in or out."),
        word("m.kind", "The provider's own word: text, image, template, interactive, …"),
        boolean(
            f"(m.direction = 'out' OR m.kind NOT IN ({_SILENT}))",
            "False for what stands in a thread and is no message: reactions, notices of WhatsApp's own.",
            name="is_message",
        ),
        time("m.occurred_at", "in: when the person wrote it. out: when it was composed."),
        time("m.created_at", "When it came to us."),
        word("m.author_kind", "stack, coach, reminder, api, broadcast, automation or app.", "A person wrote it."),
        integer(
            _AUTHOR,
            "Of the kind's table: `journeys`, `operators`, `reminders`, `tokens`, `broadcasts`.",
            "A person wrote it, or the kind has no table (app, automation).",
            name="author_id",
        ),
        refers("m.broadcast_id", "broadcasts", "It belongs to none."),
        refers("m.cause_message_id", "messages", "It answers no message."),
        word(
            "m.state",
            "received, queued, claimed, wire, accepted, failed, suppressed, cancelled, unknown or presumed_unsent.",
        ),
        time("m.accepted_at", "When the provider took it: `sent` in Insights.", _NOT_YET),
        time("m.sent_at", "When WhatsApp says it was sent on.", _NOT_YET),
        time("m.delivered_at", "When it was delivered.", _NOT_YET),
        time("m.read_at", "When it was read.", "It was not, or they have read receipts switched off."),
        time("m.failed_at", "When it failed, at once or later.", _NOT_YET),
        integer("m.delivery_level", "0 nothing heard, 1 sent, 2 delivered, 3 read, 4 played; never goes down."),
        integer("m.error_code", "The provider's code of why it failed.", "It did not, or there is no code."),
        boolean("(r.message_id IS NOT NULL)", "Whether it got a reply, as Insights counts replies.", name="is_replied"),
        boolean("m.possible_duplicate", "It may have arrived twice: the provider's first answer was lost."),
        word(_TO, "ISO 3166 alpha-2 of the address it went to, which its price depends on.", "Unknown.", "to_country"),
        refers("m.wording_id", "broadcast_wordings", "It has the broadcast's own wording, or belongs to none."),
        time("m.edited_at", "When its wording was last changed.", "It was not."),
        time("m.revoked_at", "When it was deleted for everybody.", "It was not."),
        private("m.body", "What is read: text, caption, title of the tapped button.", "It has none."),
        private("m.to_address", "Where it went.", "It came in."),
        private("m.provider_message_id", "The provider's id; WhatsApp's hold the phone number.", "Not sent."),
        private("m.error_text", "What the provider said of the failure.", "It said nothing."),
    ),
    changed=("m", "r"),
)

STATUSES: Final = Table(
    "statuses",
    "Every report about an outbound message, as told; the same report told twice is one row.",
    ("id",),
    "FROM status_event e JOIN number n ON n.id = e.number_id"
    " WHERE n.environment = :environment AND e.message_id IS NOT NULL",
    (
        key("e.id", "The report."),
        refers("e.message_id", "messages"),
        refers("e.number_id", "numbers"),
        word("e.status", "The provider's word: sent, delivered, read, played, failed, …"),
        time("e.occurred_at", "When it happened, by the provider's clock."),
        time("e.created_at", "When it was told to us."),
        integer("e.error_code", "The provider's code of why it failed.", "It did not fail."),
        private("e.error_text", "What the provider said of the failure.", "It said nothing."),
    ),
    changed=("e",),
)

REACTIONS: Final = Table(
    "reactions",
    "People's latest reaction to a message.",
    ("message_id", "person_id"),
    "FROM reaction r JOIN message m ON m.number_id = r.number_id AND m.provider_message_id = r.target"
    " WHERE r.environment = :environment",
    (
        refers("m.id", "messages", name="message_id"),
        person("r.person_id", "Who reacted."),
        boolean("(r.emoji IS NOT NULL)", "False once they took it back.", name="is_there"),
        private("r.emoji", "With what.", "They took it back."),
        time("r.occurred_at", "When."),
    ),
)

FILES: Final = Table(
    "files",
    "Files that came with messages.",
    ("id",),
    "FROM media f JOIN message m ON m.id = f.message_id WHERE m.environment = :environment",
    (
        key("f.id", "The file."),
        refers("f.message_id", "messages"),
        word("f.mime_type", "What it is.", "Nobody has said."),
        integer("f.size", "How large.", "Nobody has said.", unit="bytes"),
        word("f.state", "waiting, stored, failed or refused."),
        time("f.created_at", "When it came."),
        time("f.stored_at", "When it was fetched.", "It was not yet."),
        private("f.name", "As the sender called it."),
    ),
    changed=("f",),
)

TABLES: Final = (MESSAGES, STATUSES, REACTIONS, FILES)
