"""What people are hoped to do, who did it, what programs told of them, and which links they followed."""

from typing import Final

from bot.insights.export.shapes import Table, Type, boolean, integer, key, person, private, refers, time, word

GOALS: Final = Table(
    "goals",
    "What people are to reach.",
    ("id",),
    "FROM goal g WHERE g.environment = :environment",
    (
        key("g.id", "The goal."),
        word("g.name", "Its name."),
        time("g.created_at", "When it was made."),
        time("g.updated_at", "When it was last changed."),
    ),
)

GOAL_BEHAVIOURS: Final = Table(
    "goal_behaviours",
    "By what it is recognised that somebody is on the way to a goal.",
    ("id",),
    "FROM behaviour b WHERE b.environment = :environment",
    (
        key("b.id", "The behaviour."),
        refers("b.goal_id", "goals"),
        word("b.role", "start, way or completion."),
        integer("b.position", "Its place among those of the goal."),
        word("b.name", "Its name."),
        word("b.kind", "attribute, step, keyword, event or link."),
        private("b.condition", "What it is recognised by.", type_=Type.JSON),
        time("b.created_at", "Since when it is looked for."),
    ),
)

# Whole, as days that were taken away may come back under the same key: in another zone, or when two people are one. No
# mark of a deletion could be told from the row that came back after it.
GOAL_DAYS: Final = Table(
    "goal_days",
    "Who did what on which day, and what had been sent to them last before it.",
    ("behaviour_id", "person_id", "day"),
    "FROM behaviour_day d WHERE d.environment = :environment",
    (
        refers("d.behaviour_id", "goal_behaviours"),
        person("d.person_id", "Who did it."),
        word(
            "d.day::text",
            "Of the workspace's zone, as 2026-03-31; -infinity: an attribute they had before the behaviour was made.",
            name="day",
        ),
        time(
            "CASE WHEN isfinite(d.at) THEN d.at END",
            "The first time that day.",
            "An attribute that they had before the behaviour was made.",
            name="first_at",
        ),
        refers("d.number_id", "numbers", "It came by no number, and nothing had been sent to them."),
        word("nullif(d.author_kind, '')", "Whose message came last before.", "None in seven days.", name="author_kind"),
        integer("nullif(d.author_id, 0)", "Of the kind's table.", "The kind has none.", name="author_id"),
        integer("d.author_step", "Of a journey; the first is 1.", "No journey's message came last."),
        refers("d.after_message_id", "messages", "None in seven days."),
    ),
)

PERSON_EVENTS: Final = Table(
    "person_events",
    "What programs told of people. Gone with whoever is erased.",
    ("id",),
    "FROM person_event e WHERE e.environment = :environment",
    (
        key("e.id", "The event."),
        person("e.person_id", "Who did it."),
        word("e.name", "What they did."),
        time("e.at", "When.", name="happened_at"),
        refers("e.token_id", "tokens", "No program of the API told it."),
        time("e.created_at", "When it was told."),
        private("e.attributes", "What was told with it.", type_=Type.JSON),
    ),
    changed=("e",),
)

LINKS: Final = Table(
    "links",
    "Addresses of ours that tell who followed them.",
    ("id",),
    "FROM tracked_link l WHERE l.environment = :environment",
    (
        key("l.id", "The link."),
        word("l.name", "Its name, as texts and goals have it."),
        time("l.created_at", "When it was made."),
        private("l.target", "Where it leads now."),
    ),
)

LINK_CLICKS: Final = Table(
    "link_clicks",
    "Each time somebody's link was asked for. Gone with whoever is erased.",
    ("id",),
    "FROM link_click c WHERE c.environment = :environment",
    (
        key("c.id", "The click."),
        refers("c.link_id", "links"),
        person("c.person_id", "To whom it had been sent."),
        time("c.at", "When.", name="clicked_at"),
        boolean("c.is_preview", "A machine looked what is behind it: not counted."),
    ),
    changed=("c",),
)

TABLES: Final = (GOALS, GOAL_BEHAVIOURS, GOAL_DAYS, PERSON_EVENTS, LINKS, LINK_CLICKS)
