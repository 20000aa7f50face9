"""Who: people, how they are reached, what they want, and who is gone."""

from typing import Final

from bot.insights.export.shapes import Table, Type, boolean, integer, key, person, private, refers, time, word

PEOPLE: Final = Table(
    "people",
    "Everybody, erased people too: of those there is a row that says nothing of who they were.",
    ("person_id",),
    "FROM person p LEFT JOIN active_person a ON a.person_id = p.id WHERE p.environment = :environment",
    (
        person("p.id", "Who; the user ID of pages and API where people are not pseudonyms."),
        time("p.created_at", "When they first wrote, were imported or were added."),
        time("p.updated_at", "When their profile last changed."),
        word("p.country", "ISO 3166 alpha-2, as their profile says.", "Nobody has said."),
        word(
            "a.country",
            "ISO 3166 alpha-2 as Insights counts it: noted with their first message and kept. Empty text: unknown.",
            "They never wrote.",
            name="active_country",
        ),
        word("p.language", "As their profile says.", "Nobody has said."),
        word("p.time_zone", "IANA name.", "Nobody has said."),
        boolean("p.enabled", "False: no message of whatever author goes out to them."),
        time("p.marketing_opted_out_at", "Since when they want no marketing.", "They never said so, or took it back."),
        boolean("p.answers_only", "Was erased and has written again: is answered, and gets nothing else."),
        time("p.erased_at", "When they were erased.", "They were not."),
        refers("p.import_id", "imports", "No import made them, or it cannot take them away any more."),
        private("p.distinct_id", "Their name for machines, unique in the environment."),
        private("p.nickname", "Nickname."),
        private("p.first_name", "First name."),
        private("p.last_name", "Last name."),
        private("p.attributes", "Custom attributes by name.", type_=Type.JSON),
    ),
    changed=("p", "a"),
)

PEOPLE_GONE: Final = Table(
    "people_gone",
    "Everybody whose data a warehouse has to delete or to count as somebody else's.",
    ("person_id", "reason"),
    """FROM (
        SELECT person_id, 'erased' AS reason, NULL::bigint AS into_id, max(at) AS at FROM erasure
         WHERE environment = :environment GROUP BY 1
        UNION ALL
        SELECT gone_id, 'merged', max(person_id), max(at) FROM person_merge
         WHERE environment = :environment GROUP BY 1
        UNION ALL
        SELECT r.person_id, 'removed', NULL, max(r.at) FROM row_gone r
         WHERE r.name = 'people' AND r.environment = :environment
           AND NOT EXISTS (SELECT FROM person_merge m WHERE m.gone_id = r.person_id)
         GROUP BY 1
    ) g""",
    (
        person("g.person_id", "Who is gone."),
        word(
            "g.reason",
            "erased: delete what says who they were. merged: they are `into_person_id` now. removed: never were.",
        ),
        person("g.into_id", "Who they turned out to be.", "They are nobody else.", name="into_person_id"),
        time("g.at", "When.", name="gone_at"),
    ),
)

DELETED_ROWS: Final = Table(
    "deleted_rows",
    "Rows that are gone from tables marked *changes*, of which exports made before may still hold them.",
    ("deletion_id",),
    "FROM row_gone g WHERE coalesce(g.environment, :environment) = :environment",
    (
        key("g.id", "The deletion.", name="deletion_id"),
        word("g.name", "The table it is gone from.", name="table_name"),
        integer(
            "g.row_id", "The row's `id`; where the key has two columns, its `broadcast_id`.", "Its key is a person."
        ),
        person("g.person_id", "The person in the row's key.", "Its key has none."),
        time("g.at", "When.", name="deleted_at"),
    ),
)

PROPERTIES: Final = Table(
    "properties",
    "Custom attributes that people may have: what stands in `attributes` of `people`.",
    ("id",),
    "FROM property p WHERE p.environment = :environment",
    (
        key("p.id", "The property."),
        word("p.name", "Its name."),
        word("p.type", "What its values are: TEXT, NUMBER, DATE, …"),
        time("p.created_at", "When it was made."),
    ),
)

ADDRESSES: Final = Table(
    "addresses",
    "Ways to reach people.",
    ("id",),
    "FROM address a WHERE a.environment = :environment",
    (
        key("a.id", "The address."),
        person("a.person_id"),
        word("a.kind", "phone, user_id (WhatsApp's business-scoped id), parent_user_id, email, …"),
        private("a.value", "The address itself; of a phone E.164."),
        time("a.created_at", "Since when it is known."),
    ),
)

CONSENT_EVENTS: Final = Table(
    "consent_events",
    "What people said they want, each time; the latest by `occurred_at` is in force. Gone with whoever is erased.",
    ("id",),
    "FROM consent_event e WHERE e.environment = :environment",
    (
        key("e.id", "The event."),
        person("e.person_id"),
        word("e.category", "What it is about: marketing, …"),
        word("e.value", "stop or resume."),
        word("e.source", "webhook, error, word, coach, api or import: how we know."),
        private("e.detail", "The word they wrote, or what the source said."),
        refers("e.operator_id", "operators", "No team member recorded it."),
        refers("e.token_id", "tokens", "No program recorded it."),
        time("e.occurred_at", "When they said it."),
        time("e.created_at", "When it was recorded."),
    ),
)

PREFERENCES: Final = Table(
    "preferences",
    "Whether people want a topic by a channel; no row means yes.",
    ("id",),
    "FROM preference p WHERE p.environment = :environment",
    (
        key("p.id", "The preference."),
        person("p.person_id"),
        refers("p.topic_id", "topics", "Any topic."),
        word("p.channel", "whatsapp, email, …"),
        boolean("p.wants", "Whether they do."),
        word("p.source", "coach, api, import or webhook."),
        time("p.changed_at", "Since when."),
    ),
)

TOPICS: Final = Table(
    "topics",
    "What broadcasts can be about.",
    ("id",),
    "FROM topic t WHERE t.environment = :environment",
    (
        key("t.id", "The topic."),
        word("t.name", "Its name."),
        time("t.created_at", "When it was made."),
        time("t.archived_at", "Since when no broadcast can be about it.", "It is in use."),
    ),
)

SEGMENTS: Final = Table(
    "segments",
    "Named audiences.",
    ("id",),
    "FROM segment s WHERE s.environment = :environment",
    (
        key("s.id", "The segment."),
        word("s.name", "Its name."),
        word("s.kind", "static: its members are in `segment_members`; rule: who belongs is asked each time."),
        time("s.created_at", "When it was made."),
        time("s.updated_at", "When it was last changed."),
        private("s.rule", "What a rule asks.", type_=Type.JSON),
    ),
)

SEGMENT_MEMBERS: Final = Table(
    "segment_members",
    "Who is in which static segment.",
    ("segment_id", "person_id"),
    "FROM segment_member m WHERE m.environment = :environment",
    (
        refers("m.segment_id", "segments"),
        person("m.person_id"),
        time("m.added_at", "Since when."),
    ),
)

TABLES: Final = (
    PEOPLE,
    PEOPLE_GONE,
    DELETED_ROWS,
    PROPERTIES,
    ADDRESSES,
    CONSENT_EVENTS,
    PREFERENCES,
    TOPICS,
    SEGMENTS,
    SEGMENT_MEMBERS,
)
