"""What goes to many: broadcasts, whom each was for, and what people did then."""

from typing import Final

from bot.insights.export.shapes import Table, integer, key, person, private, refers, time, word

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
        integer("b.trial_percent", "Share of the audience that tries out the variants first.", unit="percent"),
        word("b.winner_metric", "delivered, read or replied.", "Nothing decides which variant goes to the rest."),
        integer(
            "b.winner", "Which variant went to the rest: 0 is A, 1 is B, …", "None was found yet, or none is sought."
        ),
        integer("b.holdout_percent", "Share of the audience that gets nothing, to compare with.", unit="percent"),
        time("b.created_at", "When it was made."),
        time("b.scheduled_at", "When it begins, or began, by itself.", "Somebody starts it."),
        time("b.launched_at", "When it was launched.", "It was not."),
        time("b.finished_at", "When its last message was settled.", "It is not finished."),
        refers("b.launched_by_operator_id", "operators", "A program launched it, or nobody yet."),
        refers("b.launched_by_token_id", "tokens", "A team member launched it, or nobody yet."),
    ),
)

BROADCAST_WORDINGS: Final = Table(
    "broadcast_wordings",
    "Wordings of a broadcast's variants and languages beside its own, which is variant 0.",
    ("id",),
    "FROM broadcast_wording w JOIN broadcast b ON b.id = w.broadcast_id WHERE b.environment = :environment",
    (
        key("w.id", "The wording."),
        refers("w.broadcast_id", "broadcasts"),
        integer("w.variant", "0 is A, 1 is B, …"),
        word("w.language", "For people of that language.", "For all of the variant without a wording of their own."),
        refers("w.template_id", "templates"),
    ),
)

BROADCAST_STATES: Final = Table(
    "broadcast_states",
    "Each step of a broadcast's way, with who took it.",
    ("id",),
    "FROM broadcast_transition s JOIN broadcast b ON b.id = s.broadcast_id WHERE b.environment = :environment",
    (
        key("s.id", "The step."),
        refers("s.broadcast_id", "broadcasts"),
        time("s.at", "When.", name="changed_at"),
        word("s.from_state", "As `state` in `broadcasts`."),
        word("s.to_state", "As `state` in `broadcasts`."),
        refers("s.operator_id", "operators", "No team member did it."),
        refers("s.token_id", "tokens", "No program did it."),
        private("s.why", "Why, in a sentence."),
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

TABLES: Final = (
    BROADCASTS,
    BROADCAST_WORDINGS,
    BROADCAST_STATES,
    BROADCAST_SEGMENTS,
    BROADCAST_AUDIENCE,
    BROADCAST_RESPONSES,
)
