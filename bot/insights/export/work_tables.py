"""How people are guided: conversations and who looks after them, journeys, reminders, the team."""

from typing import Final

from bot.insights.export.shapes import Table, boolean, integer, key, person, private, refers, time, word

_HERE = "WHERE c.environment = :environment"

CONVERSATIONS: Final = Table(
    "conversations",
    "The one thread of a person and a number.",
    ("id",),
    f"FROM conversation c {_HERE}",
    (
        key("c.id", "The conversation."),
        person("c.person_id", "With whom."),
        refers("c.number_id", "numbers"),
        word("c.state", "open or closed."),
        time("c.created_at", "When it first began."),
        time("c.last_message_at", "When something was last said, either way."),
        time("c.last_inbound_at", "When they last wrote; the 24-hour window counts from it.", "They never wrote."),
        time("c.waiting_since", "Of their oldest message that no human has answered.", "Nothing waits."),
        refers("c.assigned_to_id", "operators", "Nobody looks after it."),
        time("c.assigned_at", "Since when.", "Nobody looks after it."),
    ),
    changed=("c",),
)

EPISODES: Final = Table(
    "episodes",
    "Each opening of a conversation, until it was closed.",
    ("id",),
    f"FROM episode e JOIN conversation c ON c.id = e.conversation_id {_HERE}",
    (
        key("e.id", "The episode."),
        refers("e.conversation_id", "conversations"),
        time("e.opened_at", "When it was opened."),
        word("e.opened_by", "person or coach."),
        refers("e.opened_by_operator_id", "operators", "The person opened it."),
        time("e.first_reply_at", "When a human first answered.", "Nobody has."),
        refers("e.first_reply_operator_id", "operators", "Nobody has, or it was in the phone app or by a program."),
        time("e.closed_at", "When it was closed.", "It is open."),
        refers("e.closed_by_operator_id", "operators", "It is open, or closed by itself."),
        boolean("e.closed_without_reply", "Nobody had answered.", "It is open."),
        boolean("e.closed_by_rule", "By itself after the hours of the inbox's settings."),
    ),
    changed=("e", "c"),
)

ASSIGNMENTS: Final = Table(
    "assignments",
    "Each hand-over of a conversation.",
    ("id",),
    f"FROM assignment a JOIN conversation c ON c.id = a.conversation_id {_HERE}",
    (
        key("a.id", "The hand-over."),
        refers("a.conversation_id", "conversations"),
        time("a.at", "When.", name="assigned_at"),
        refers("a.from_operator_id", "operators", "Nobody looked after it."),
        refers("a.to_operator_id", "operators", "Nobody looks after it now."),
        refers("a.by_operator_id", "operators", "A rule did it."),
        word("a.rule", "Which rule did it.", "Somebody did, by hand."),
        private("a.remark", "What was said with it."),
    ),
    changed=("a",),
)

LABELS: Final = Table(
    "labels",
    "The words a team sorts conversations by.",
    ("id",),
    "FROM label l WHERE l.environment = :environment",
    (
        key("l.id", "The label."),
        word("l.name", "Its name."),
        time("l.archived_at", "Since when it is not given any more.", "It is in use."),
    ),
)

CONVERSATION_LABELS: Final = Table(
    "conversation_labels",
    "Which conversation has which label.",
    ("conversation_id", "label_id"),
    f"FROM conversation_label cl JOIN conversation c ON c.id = cl.conversation_id {_HERE}",
    (
        refers("cl.conversation_id", "conversations"),
        refers("cl.label_id", "labels"),
        refers("cl.operator_id", "operators", "No team member gave it."),
        time("cl.created_at", "Since when."),
    ),
)

NOTES: Final = Table(
    "notes",
    "What coaches wrote for each other beside a conversation.",
    ("id",),
    f"FROM note n JOIN conversation c ON c.id = n.conversation_id {_HERE}",
    (
        key("n.id", "The note."),
        refers("n.conversation_id", "conversations"),
        refers("n.operator_id", "operators"),
        time("n.created_at", "When it was written."),
        private("n.text", "What it says."),
    ),
)

JOURNEYS: Final = Table(
    "journeys",
    "Every version of every journey.",
    ("id",),
    "FROM journey j WHERE j.environment = :environment",
    (
        key("j.id", "The version of the journey; what `messages.author_id` names."),
        word("j.name", "The journey's name, the same for all its versions."),
        integer("j.version", "1, 2, …"),
        boolean("j.active", "Whether new runs begin with it."),
        time("j.created_at", "When it was loaded."),
    ),
)

JOURNEY_RUNS: Final = Table(
    "journey_runs",
    "People on their way through a journey.",
    ("id",),
    "FROM journey_run r WHERE r.environment = :environment",
    (
        key("r.id", "The run."),
        refers("r.journey_id", "journeys"),
        person("r.person_id"),
        refers("r.number_id", "numbers"),
        integer("r.step", "The step that waits, or the last one taken; the first is 0."),
        word("r.state", "waiting, finished, replaced or failed."),
        time("r.started_at", "When it began."),
        time("r.ended_at", "When it ended.", "It waits for an answer."),
    ),
    changed=("r",),
)

REMINDERS: Final = Table(
    "reminders",
    "Messages the team scheduled, to one person or one segment.",
    ("id",),
    "FROM reminder r WHERE r.environment = :environment",
    (
        key("r.id", "The reminder."),
        refers("r.number_id", "numbers"),
        person("r.person_id", "To whom.", "It goes to a segment."),
        refers("r.segment_id", "segments", "It goes to one person."),
        time("r.due_at", "When it is due."),
        word("r.state", "scheduled, fired, missed or cancelled."),
        time("r.fired_at", "When it was sent.", "It was not."),
        refers("r.created_by_operator_id", "operators", "A program or the command line made it."),
        time("r.created_at", "When it was made."),
        private("r.name", "What the team calls it."),
        private("r.text", "What it says."),
    ),
    changed=("r",),
)

TABLES: Final = (
    CONVERSATIONS,
    EPISODES,
    ASSIGNMENTS,
    LABELS,
    CONVERSATION_LABELS,
    NOTES,
    JOURNEYS,
    JOURNEY_RUNS,
    REMINDERS,
)
