"""What a team keeps beside its conversations: who looks after each, labels, notes, answers ready to hand."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base
from bot.models.words import Assigning, Environment, Telling, one_of


class Assignment(Base):
    """One hand-over: from whom to whom, and who or which rule did it. `to_operator_id` empty: nobody looks after it."""

    __tablename__ = "assignment"
    __table_args__ = (Index(None, "conversation_id", "id"), Index(None, "to_operator_id", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    from_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    to_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    rule: Mapped[str | None]
    """Empty when somebody did it by hand."""
    remark: Mapped[str | None]


class Availability(Base):
    """Whether work is shared out to an operator; no row: yes, up to the policy's capacity."""

    __tablename__ = "availability"
    __table_args__ = (CheckConstraint("capacity BETWEEN 1 AND 1000", name="capacity"),)

    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), primary_key=True)
    away_since: Mapped[datetime | None]
    capacity: Mapped[int | None]
    """Open conversations at once; empty: the policy's."""


class Label(Base):
    """A word the team sorts conversations by; archived, it stays on those that have it."""

    __tablename__ = "label"
    __table_args__ = (
        Index("uq_label_name", "environment", text("lower(name)"), unique=True),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    colour: Mapped[str]
    """One of the palette's names, so that it has contrast in light and dark."""
    archived_at: Mapped[datetime | None]


class ConversationLabel(Base):
    __tablename__ = "conversation_label"
    __table_args__ = (Index(None, "label_id"),)

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True)
    label_id: Mapped[int] = mapped_column(ForeignKey("label.id", ondelete="CASCADE"), primary_key=True)
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Note(Base):
    """What a coach writes for colleagues beside a thread; the person never sees it."""

    __tablename__ = "note"
    __table_args__ = (Index(None, "conversation_id", "id"), UniqueConstraint("client_key"))

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    text: Mapped[str]
    client_key: Mapped[str]
    """Comes with the form, so that a form sent twice is one note."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class NoteMention(Base):
    """A colleague a note calls by name, until they have seen it."""

    __tablename__ = "note_mention"
    __table_args__ = (Index(None, "operator_id", postgresql_where=text("seen_at IS NULL")),)

    note_id: Mapped[int] = mapped_column(ForeignKey("note.id", ondelete="CASCADE"), primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), primary_key=True)
    seen_at: Mapped[datetime | None]


class CannedAnswer(Base):
    """An answer the team has ready: `/shortcut` in the composer; its text may hold `<<user.…>>`."""

    __tablename__ = "canned_answer"
    __table_args__ = (
        Index(
            "uq_canned_answer_shortcut",
            "environment",
            "shortcut",
            unique=True,
            postgresql_where=text("archived_at IS NULL"),
        ),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    shortcut: Mapped[str]
    """Lower case, without the slash."""
    text: Mapped[str]
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    """Who wrote it last."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    archived_at: Mapped[datetime | None]


class HeldReply(Base):
    """A text that waits until the person answers the template that asks them back: then it goes out by itself, once."""

    __tablename__ = "held_reply"
    __table_args__ = (
        Index(
            "uq_held_reply_waiting",
            "conversation_id",
            unique=True,
            postgresql_where=text("released_at IS NULL AND cancelled_at IS NULL"),
        ),
        Index(None, "conversation_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    template_message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    """An inbound message that came after this one releases the text."""
    text: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    released_at: Mapped[datetime | None]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"))
    """What went out."""
    cancelled_at: Mapped[datetime | None]
    cancelled_because: Mapped[str | None]


class InboxPolicy(Base):
    """How an environment's inbox works by itself; no row: by hand in everything."""

    __tablename__ = "inbox_policy"
    __table_args__ = (
        one_of("environment", Environment),
        one_of("assigning", Assigning),
        one_of("tells", Telling),
        CheckConstraint("capacity BETWEEN 1 AND 1000", name="capacity"),
        CheckConstraint("close_after_h BETWEEN 1 AND 8760", name="close_after_h"),
        CheckConstraint("away_after_min BETWEEN 1 AND 1440", name="away_after_min"),
    )

    environment: Mapped[str] = mapped_column(primary_key=True)
    assigning: Mapped[str] = mapped_column(server_default=Assigning.BY_HAND)
    capacity: Mapped[int] = mapped_column(server_default="20")
    away_after_min: Mapped[int] = mapped_column(server_default="15")
    """Without a page open for so long a coach is not present."""
    close_after_h: Mapped[int | None]
    """Hours since the last message either way after which a conversation closes by itself; empty: never."""
    tells: Mapped[str] = mapped_column(server_default=Telling.NOTHING)
    """Whether people see that their message was read, and that an answer is being written."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ReadReceipt(Base):
    """What the provider is to be told of a conversation: up to where it was read, and that somebody is typing."""

    __tablename__ = "read_receipt"
    __table_args__ = (
        Index("ix_read_receipt_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(None, "message_id"),
    )

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    """The newest message that somebody of ours has read."""
    told_id: Mapped[int | None]
    """The message the provider was last told of; set before it is, so that it never is twice."""
    typing_at: Mapped[datetime | None]
    """When it was last asked to show that somebody types."""
    is_typing: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether it has still to be told that."""
    due_at: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(server_default="0")
    problem: Mapped[str | None]
    """Why the provider did not take the last one, in words."""


class BulkClose(Base):
    """Conversations that somebody closed at once, so that it can be undone as one."""

    __tablename__ = "bulk_close"
    __table_args__ = (one_of("environment", Environment), Index(None, "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    undone_at: Mapped[datetime | None]


class BulkClosed(Base):
    """One of them as it was before; kept for a day."""

    __tablename__ = "bulk_closed"
    __table_args__ = (Index(None, "conversation_id"), Index(None, "episode_id"))

    bulk_close_id: Mapped[int] = mapped_column(ForeignKey("bulk_close.id", ondelete="CASCADE"), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id", ondelete="CASCADE"))
    waiting_since: Mapped[datetime | None]
    unread_count: Mapped[int]
