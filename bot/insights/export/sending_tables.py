"""What broadcasts are made of and who writes: templates and their prices, lists, the team, programs, numbers."""

from typing import Final

from bot.insights.export.shapes import Column, Table, Type, boolean, integer, key, private, refers, time, word

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
    TEMPLATES,
    RATES,
    IMPORTS,
    OPERATORS,
    TOKENS,
    NUMBERS,
)
