"""What goes to many: broadcasts and templates, what they cost, lists; and who may be an author."""

from typing import Final

from bot.insights.export.shapes import Column, Table, Type, boolean, integer, key, person, private, refers, time, word

BROADCASTS: Final = Table(
    "broadcasts",
    "Every broadcast. Its messages are in `messages`, by `broadcast_id`.",
    ("id",),
    "FROM broadcast b JOIN template t ON t.id = b.template_id WHERE b.environment = :environment",
    (
        key("b.id", "The broadcast."),
        word("b.name", "Its name."),
        refers("b.number_id", "numbers"),
        refers("b.template_id", "templates"),
        word(
            "coalesce(b.frozen_template ->> 'category', t.category)",
            "MARKETING, UTILITY or AUTHENTICATION, as of its launch; what it costs depends on it.",
            name="category",
        ),
        refers("b.topic_id", "topics", "It is about none."),
        word("b.state", "draft, approval, scheduled, materialising, running, paused, finished or cancelled."),
        word("b.origin", "new, copy, retry or test."),
        refers("b.parent_id", "broadcasts", "It is not made from another."),
        integer("b.holdout_percent", "Share of the audience that gets nothing, to compare with.", unit="percent"),
        time("b.created_at", "When it was made."),
        time("b.scheduled_at", "When it begins, or began, by itself.", "Somebody starts it."),
        time("b.launched_at", "When it was launched.", "It was not."),
        time("b.finished_at", "When its last message was settled.", "It is not finished."),
        refers("b.launched_by_operator_id", "operators", "A program launched it, or nobody yet."),
        refers("b.launched_by_token_id", "tokens", "A team member launched it, or nobody yet."),
    ),
)

BROADCAST_SEGMENTS: Final = Table(
    "broadcast_segments",
    "Which segments a broadcast goes to, and which it leaves out.",
    ("broadcast_id", "segment_id"),
    "FROM broadcast_segment s WHERE s.environment = :environment",
    (
        refers("s.broadcast_id", "broadcasts"),
        refers("s.segment_id", "segments"),
        word("s.role", "to or minus."),
    ),
)

BROADCAST_AUDIENCE: Final = Table(
    "broadcast_audience",
    "Who belonged to a broadcast's audience at its launch, whether or not they got a message.",
    ("broadcast_id", "person_id"),
    "FROM audience_person a WHERE a.environment = :environment",
    (
        refers("a.broadcast_id", "broadcasts"),
        person("a.person_id"),
        integer("a.wave", "0 canary, 1 trial of the variants, 2 everybody else."),
        integer("a.variant", "0 is A, 1 is B, …"),
        word(
            "a.refusal", "Why they got nothing, known at launch: held out, written to often enough.", "They were not."
        ),
    ),
    changed=("a",),
)

BROADCAST_RESPONSES: Final = Table(
    "broadcast_responses",
    "What people did after a broadcast reached them, each once.",
    ("broadcast_id", "person_id"),
    "FROM broadcast_response r WHERE r.environment = :environment",
    (
        refers("r.broadcast_id", "broadcasts"),
        person("r.person_id"),
        refers("r.message_id", "messages"),
        refers("r.reply_message_id", "messages", "They did not reply."),
        time("r.replied_at", "When they replied.", "They did not."),
        time("r.opted_out_at", "When they asked for no more marketing.", "They did not."),
    ),
    changed=("r",),
)

TEMPLATES: Final = Table(
    "templates",
    "Message templates as the provider knows them now.",
    ("id",),
    "FROM template t",
    (
        key("t.id", "The template."),
        word("t.name", "Its name."),
        word("t.language", "Its language."),
        word("t.category", "MARKETING, UTILITY or AUTHENTICATION."),
        word("t.status", "The provider's word: APPROVED, PAUSED, …"),
        word("t.quality", "GREEN, YELLOW, RED or UNKNOWN.", "Nothing was told."),
        time("t.created_at", "When it was first seen."),
    ),
)

RATES: Final = Table(
    "rates",
    "What one delivered template message costs, as the operator keeps it now.",
    ("country", "category"),
    "FROM message_rate r",
    (
        word("r.country", "ISO 3166 alpha-2; `*` is everywhere else."),
        word("r.category", "MARKETING, UTILITY or AUTHENTICATION."),
        Column("price", Type.AMOUNT, "r.price", "Of one delivered message.", unit="the currency of the row"),
        word("r.currency", "ISO 4217; one for all rates."),
    ),
)

IMPORTS: Final = Table(
    "imports",
    "Lists that were imported into segments.",
    ("id",),
    "FROM import_run i JOIN stored_file f ON f.id = i.file_id WHERE i.environment = :environment",
    (
        key("i.id", "The import."),
        refers("i.segment_id", "segments"),
        word("i.dialect", "How the list is written."),
        word("i.state", "checking, ready, waiting, running, finished, failed, cancelled, undoing or undone."),
        integer("i.total", "Rows of the list.", "It was not read to its end.", unit="rows"),
        integer("i.created", "Rows that made somebody.", unit="rows"),
        integer("i.updated", "Rows that changed somebody.", unit="rows"),
        integer("i.unchanged", "Rows that changed nothing.", unit="rows"),
        integer("i.failed", "Rows that were refused.", unit="rows"),
        refers("i.created_by_operator_id", "operators", "A program or the command line began it."),
        refers("i.created_by_token_id", "tokens", "No program began it."),
        time("i.created_at", "When it was uploaded."),
        time("i.finished_at", "When its last row was taken in.", "It was not."),
        time("i.undone_at", "When it was undone.", "It was not."),
        private("f.name", "The file's name.", name="file_name"),
    ),
)

OPERATORS: Final = Table(
    "operators",
    "The team.",
    ("id",),
    "FROM operator o",
    (
        key("o.id", "The team member."),
        word("o.role", "admin, coach, marketer or viewer.", "They have a set of permissions of the team's own."),
        boolean("o.active", "Whether they can sign in."),
        time("o.created_at", "Since when."),
        private("o.name", "Their name."),
    ),
)

TOKENS: Final = Table(
    "tokens",
    "Programs that use the API.",
    ("id",),
    "FROM api_token t WHERE t.environment = :environment",
    (
        key("t.id", "The token."),
        word("t.name", "What the team calls it."),
        time("t.created_at", "Since when."),
        time("t.revoked_at", "When it was revoked.", "It was not."),
    ),
)

NUMBERS: Final = Table(
    "numbers",
    "The business numbers.",
    ("id",),
    "FROM number n WHERE n.environment = :environment",
    (
        key("n.id", "The number."),
        word("n.name", "What it is called."),
        time("n.created_at", "Since when."),
        private("n.phone", "E.164."),
    ),
)

TABLES: Final = (
    BROADCASTS,
    BROADCAST_SEGMENTS,
    BROADCAST_AUDIENCE,
    BROADCAST_RESPONSES,
    TEMPLATES,
    RATES,
    IMPORTS,
    OPERATORS,
    TOKENS,
    NUMBERS,
)
