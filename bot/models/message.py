from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base
from bot.models.words import AuthorKind, ChangeKind, Direction, MediaState, MessageState, one_of

AUTHOR_COLUMNS = {
    AuthorKind.STACK: "journey_id",
    AuthorKind.COACH: "operator_id",
    AuthorKind.REMINDER: "reminder_id",
    AuthorKind.API: "token_id",
    AuthorKind.BROADCAST: "broadcast_id",
}
"""Which column names the author of each kind; `automation` and `app` have none."""

_AUTHORED = " OR ".join(f"(author_kind = '{kind}' AND {column} IS NOT NULL)" for kind, column in AUTHOR_COLUMNS.items())


class Message(Base):
    """Everything said, both ways. An outbound row is also its own place in the outbox: see docs/sending.md."""

    __tablename__ = "message"
    __table_args__ = (
        ForeignKeyConstraint(["token_id", "environment"], ["api_token.id", "api_token.environment"]),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        ForeignKeyConstraint(["number_id", "environment"], ["number.id", "number.environment"]),
        ForeignKeyConstraint(["broadcast_id", "environment"], ["broadcast.id", "broadcast.environment"]),
        CheckConstraint(
            f"(direction = 'in' AND author_kind IS NULL) OR (direction = 'out' AND (author_kind IN"
            f" ('automation', 'app') OR {_AUTHORED}))",
            name="author",
        ),
        CheckConstraint("(direction = 'in') = (state = 'received')", name="state_fits_direction"),
        one_of("direction", Direction),
        one_of("state", MessageState),
        one_of("author_kind", AuthorKind),
        Index(
            "uq_message_provider_message_id",
            "number_id",
            "provider_message_id",
            unique=True,
            postgresql_where=text("provider_message_id IS NOT NULL"),
        ),
        Index("uq_message_source_key", "source_key", unique=True, postgresql_where=text("source_key IS NOT NULL")),
        Index("ix_message_thread", "person_id", "number_id", "occurred_at", "id"),
        Index(
            "ix_message_due",
            "number_id",
            "priority",
            "id",
            postgresql_where=text("state = 'queued' AND broadcast_id IS NULL"),
        ),
        Index("ix_message_broadcast", "broadcast_id", "state", "id", postgresql_where=text("broadcast_id IS NOT NULL")),
        Index(
            "ix_message_unsettled",
            "person_id",
            postgresql_where=text("state IN ('queued', 'claimed', 'wire') AND broadcast_id IS NULL"),
        ),
        Index("ix_message_leased", "lease_until", postgresql_where=text("state IN ('claimed', 'wire')")),
        Index("ix_message_doubt", "number_id", postgresql_where=text("state = 'unknown'")),
        # The log of Test's sends; Live's, the most, are found by their ids and need no index that every send would pay.
        Index("ix_message_test", "id", postgresql_where=text("environment = 'test' AND direction = 'out'")),
        # The words of conversations, for the inbox's search. A broadcast's are its template's, many times over.
        Index(
            "ix_message_words",
            text("to_tsvector('simple'::regconfig, body)"),
            postgresql_using="gin",
            postgresql_where=text("body IS NOT NULL AND broadcast_id IS NULL"),
        ),
        # What coaches wrote within some days, for the team's numbers; the messages of others cost it nothing.
        Index(
            "ix_message_coach",
            "number_id",
            "occurred_at",
            postgresql_include=["operator_id", "person_id"],
            postgresql_where=text("author_kind = 'coach' AND kind <> 'reaction' AND state <> 'suppressed'"),
        ),
        # Room on each page for a row's statuses: they change no indexed column, so they then cost no index entry.
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    number_id: Mapped[int]
    person_id: Mapped[int]
    direction: Mapped[str]
    kind: Mapped[str]
    """The provider's own word: text, image, template, interactive, …"""
    body: Mapped[str | None]
    """What a person reads: the text, the caption, the tapped button's title; searched and previewed."""
    content: Mapped[dict[str, Any] | None]
    """The provider-shaped part: inbound as received; outbound as sent. Empty for a broadcast row not yet claimed."""
    provider_message_id: Mapped[str | None]
    reply_to_provider_message_id: Mapped[str | None]
    occurred_at: Mapped[datetime]
    """Inbound: the provider's event time. Outbound: when it was composed. Threads are ordered by it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    author_kind: Mapped[str | None]
    journey_id: Mapped[int | None] = mapped_column(ForeignKey("journey.id"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    reminder_id: Mapped[int | None] = mapped_column(ForeignKey("reminder.id"))
    token_id: Mapped[int | None]
    broadcast_id: Mapped[int | None]
    wording_id: Mapped[int | None]
    """Which wording of the broadcast, where it is not its own; no foreign key: it comes from a row just read."""
    cause_message_id: Mapped[int | None]
    """The inbound message this one answers, where there is one."""

    state: Mapped[str]
    source_key: Mapped[str | None]
    """What asked for this message, so that asking twice makes one row: `b:<broadcast>:<person>`, `r:<reminder>:…`."""
    to_address: Mapped[str | None]
    """What the provider is told: +E.164, digits as received, or a business-scoped user id."""
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    quiet_at: Mapped[datetime | None]
    """When quiet hours begin where the person is: it must be on the wire before, or waits for the next morning."""
    wire_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    unknown_at: Mapped[datetime | None]
    delivery_level: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """0 nothing heard, 1 sent, 2 delivered, 3 read, 4 played; never goes down."""
    error_code: Mapped[int | None]
    error_text: Mapped[str | None]
    evidence: Mapped[str | None]
    """How we know the provider took it: `response`, `callback`, `recipient`, or `echo` when it left elsewhere."""
    possible_duplicate: Mapped[bool] = mapped_column(server_default=text("false"))
    edited_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    original: Mapped[dict[str, Any] | None]
    """{"body", "kind", "content"} as first said, once it was edited; `body` and `content` are the newest wording."""


class MessageReply(Base):
    """A message that was sent got a reply; all of it is the message's own, so that counting asks for nothing else."""

    __tablename__ = "message_reply"

    message_id: Mapped[int] = mapped_column(
        ForeignKey("message.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    environment: Mapped[str]
    number_id: Mapped[int]
    author_kind: Mapped[str]
    author_id: Mapped[int]
    """Of whatever its kind names; 0 where a kind has none."""
    sent_at: Mapped[datetime]
    """When the provider took it: it counts on that day."""


class MessageChange(Base):
    """An edit or a deletion as told, once; `message_id` is empty while its message is not known yet (an orphan)."""

    __tablename__ = "message_change"
    __table_args__ = (
        UniqueConstraint("number_id", "provider_message_id"),
        Index("ix_message_change_message", "message_id"),
        Index(None, "person_id"),
        Index("ix_message_change_orphan", "number_id", "target", postgresql_where=text("message_id IS NULL")),
        one_of("kind", ChangeKind),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number_id: Mapped[int] = mapped_column(ForeignKey("number.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    """Who did it; empty for the business itself."""
    provider_message_id: Mapped[str]
    target: Mapped[str]
    """The provider's id of the message it is about."""
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    """Set only where whoever did it may: a person their own messages, the business its own."""
    kind: Mapped[str]
    message_kind: Mapped[str | None]
    body: Mapped[str | None]
    content: Mapped[dict[str, Any] | None]
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Reaction(Base):
    """A person's latest reaction to a message; it stays, without an emoji, once taken back, as order may vary."""

    __tablename__ = "reaction"
    __table_args__ = (
        ForeignKeyConstraint(["number_id", "environment"], ["number.id", "number.environment"]),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
    )

    number_id: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    """The provider's id of the message it is about."""
    person_id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    emoji: Mapped[str | None]
    occurred_at: Mapped[datetime]


class Media(Base):
    """A file that came with a message: where it is at the provider, and where we keep it once it was fetched."""

    __tablename__ = "media"
    __table_args__ = (
        UniqueConstraint("message_id"),
        Index("ix_media_waiting", "not_before", "id", postgresql_where=text("state = 'waiting'")),
        one_of("state", MediaState),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    number_id: Mapped[int] = mapped_column(ForeignKey("number.id"))
    provider_media_id: Mapped[str | None]
    url: Mapped[str | None]
    mime_type: Mapped[str | None]
    """As told at first; what the bytes are, once it is stored."""
    sha256: Mapped[str | None]
    name: Mapped[str | None]
    """As the sender called it, for a download; never a path of ours."""
    size: Mapped[int | None]
    state: Mapped[str]
    reason: Mapped[str | None]
    """Why there is no file, in a sentence."""
    storage_key: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    not_before: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    stored_at: Mapped[datetime | None]


class StatusEvent(Base):
    """A status exactly as told, once; `message_id` is empty while its message is not known yet (an orphan)."""

    __tablename__ = "status_event"
    __table_args__ = (
        Index("uq_status_event", "number_id", "provider_message_id", "status", "occurred_at", unique=True),
        Index("ix_status_event_message", "message_id"),
        Index(
            "ix_status_event_orphan",
            "number_id",
            "provider_message_id",
            postgresql_where=text("message_id IS NULL"),
        ),
        Index("ix_status_event_newest_orphans", "id", postgresql_where=text("message_id IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number_id: Mapped[int]
    """No foreign key: it comes from a row just read, numbers stay, and the check was a sixth of storing a report."""
    provider_message_id: Mapped[str]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    status: Mapped[str]
    occurred_at: Mapped[datetime]
    callback: Mapped[str | None]
    recipient: Mapped[str | None]
    error_code: Mapped[int | None]
    error_text: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
