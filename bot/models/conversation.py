from datetime import datetime

from sqlalchemy import Computed, FetchedValue, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db import Base
from bot.models.person import Person
from bot.models.words import ConversationState, Opener, one_of

_WAITS = text("state = 'open' AND waiting_since IS NOT NULL")

_LONG = {1_000: 1, 10_000: 10, 100_000: 100, 1_000_000: 1_000}
"""Seconds below which time is told in which unit; what is longer, in ten thousands."""


def _told_since_opening(column: str) -> Computed:
    """As the function told_seconds of Insights, which models cannot name, as a migration makes it."""
    took = f"({column} - opened_at)"
    told = f"floor(date_part('epoch', {took}) / {{0}})::bigint * {{0}}"
    steps = " ".join(
        f"WHEN {took} < interval '{below} seconds' THEN {told.format(unit)}" for below, unit in _LONG.items()
    )
    return Computed(f"CASE {steps} ELSE {told.format(10_000)} END", persisted=True)


class Conversation(Base):
    """The one thread of a person and a number, open or closed; its messages are found by that pair."""

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("person_id", "number_id"),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        ForeignKeyConstraint(["number_id", "environment"], ["number.id", "number.environment"]),
        Index(None, "environment", "state", text("last_message_at DESC")),
        Index("ix_conversation_waiting", "environment", "waiting_since", postgresql_where=_WAITS),
        Index("ix_conversation_closing", "environment", "last_inbound_at", postgresql_where=_WAITS),
        Index(
            "ix_conversation_assigned",
            "assigned_to_id",
            "state",
            text("last_message_at DESC"),
            postgresql_where=text("assigned_to_id IS NOT NULL"),
        ),
        one_of("state", ConversationState),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    person_id: Mapped[int]
    number_id: Mapped[int]
    state: Mapped[str]
    last_message_at: Mapped[datetime]
    last_inbound_at: Mapped[datetime | None]
    """Event time of the newest inbound message: the 24-hour window counts from it."""
    unread_count: Mapped[int] = mapped_column(server_default="0")
    waiting_since: Mapped[datetime | None]
    """Event time of the oldest inbound message that no human has answered, here, in the phone app or by the API."""
    assigned_to_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    assigned_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    person: Mapped[Person] = relationship(viewonly=True)
    episodes: Mapped[list["Episode"]] = relationship(back_populates="conversation", order_by="Episode.id")


class Episode(Base):
    """One opening of a conversation: who opened it, who closed it, and whether anybody had answered."""

    __tablename__ = "episode"
    __table_args__ = (
        Index("uq_episode_open", "conversation_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index(None, "conversation_id"),
        # The team's numbers: all that is asked of what was opened, first answered and closed within some days.
        Index("ix_episode_opened", "number_id", "opened_at", postgresql_include=["reopens"]),
        Index(
            "ix_episode_answered",
            "number_id",
            "first_reply_at",
            postgresql_include=["first_reply_s", "first_reply_operator_id"],
            postgresql_where=text("opened_by = 'person' AND first_reply_at IS NOT NULL"),
        ),
        Index(
            "ix_episode_closed",
            "number_id",
            "closed_at",
            postgresql_include=["closed_s", "closed_by_rule", "closed_without_reply", "closed_by_operator_id"],
            postgresql_where=text("closed_at IS NOT NULL"),
        ),
        one_of("opened_by", Opener),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]
    opened_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    closed_at: Mapped[datetime | None]
    closed_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    closed_without_reply: Mapped[bool | None]
    closed_by_rule: Mapped[bool] = mapped_column(server_default=text("false"))
    """Closed by itself after the policy's hours, and counted apart."""
    first_reply_at: Mapped[datetime | None]
    """When a human first answered in this opening, and which coach, if it was one."""
    first_reply_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    number_id: Mapped[int] = mapped_column(FetchedValue())
    """The conversation's. A trigger fills it in, and the next, where whoever opens does not, and after a merge."""
    reopens: Mapped[bool] = mapped_column(FetchedValue())
    """There is an earlier opening of the same conversation."""
    first_reply_s: Mapped[int | None] = mapped_column(_told_since_opening("first_reply_at"))
    """How long that took and, below, closing: whole seconds, of long times three digits."""
    closed_s: Mapped[int | None] = mapped_column(_told_since_opening("closed_at"))

    conversation: Mapped[Conversation] = relationship(back_populates="episodes")
