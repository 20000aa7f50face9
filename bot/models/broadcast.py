from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db import Base
from bot.models.words import BroadcastState, Environment, one_of


class Template(Base):
    """A message template as the provider approved it; (connection, name, language) is its identity."""

    __tablename__ = "template"
    __table_args__ = (UniqueConstraint("connection_id", "name", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    name: Mapped[str]
    language: Mapped[str]
    category: Mapped[str]
    status: Mapped[str]
    parameter_format: Mapped[str] = mapped_column(server_default="POSITIONAL")
    components: Mapped[list[Any]]
    provider_template_id: Mapped[str | None]
    quality: Mapped[str | None]
    """GREEN, YELLOW, RED or UNKNOWN, as the provider last said."""
    reason: Mapped[str | None]
    """Why it is rejected, paused or disabled, in a sentence."""
    told_at: Mapped[datetime | None]
    """Event time of the newest status; an older one that comes late changes nothing."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class TemplateFetch(Base):
    """The last time a connection's list of templates was fetched, and whether somebody waits for the next."""

    __tablename__ = "template_fetch"

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True)
    wanted_at: Mapped[datetime | None]
    """When somebody asked for it; None once it was done."""
    lease_until: Mapped[datetime | None]
    """A worker is at it until then, or has died."""
    finished_at: Mapped[datetime | None]
    listed: Mapped[int | None]
    """How many templates the provider named, the last time it answered."""
    problem: Mapped[str | None]
    """What went wrong the last time, in a sentence."""


class Broadcast(Base):
    """A template, its slots and a segment. The audience is frozen at launch: its messages are the audience."""

    __tablename__ = "broadcast"
    __table_args__ = (
        ForeignKeyConstraint(["launched_by_token_id", "environment"], ["api_token.id", "api_token.environment"]),
        UniqueConstraint("id", "environment"),
        ForeignKeyConstraint(["number_id", "environment"], ["number.id", "number.environment"]),
        ForeignKeyConstraint(["segment_id", "environment"], ["segment.id", "segment.environment"]),
        ForeignKeyConstraint(["topic_id", "environment"], ["topic.id", "topic.environment"]),
        Index(None, "environment", "id"),
        Index("ix_broadcast_busy", "number_id", postgresql_where=text("state IN ('materialising', 'running')")),
        one_of("environment", Environment),
        one_of("state", BroadcastState),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    number_id: Mapped[int]
    segment_id: Mapped[int]
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    topic_id: Mapped[int | None]
    """Whoever does not want the topic is left out, at launch and once more before the wire."""
    slots: Mapped[dict[str, Any]]
    """Slot name to text with `<<user.…>>`: {"body.1": "<<user.first_name>>"}."""
    frozen_template: Mapped[dict[str, Any] | None]
    """Name, language and components as they stood at launch; every send uses these."""
    state: Mapped[str]
    reason: Mapped[str | None]
    """Why it is paused or cancelled, in a sentence."""
    cursor: Mapped[int] = mapped_column(server_default="0")
    """Greatest person id already turned into a message; moves in the same transaction as the rows."""
    audience_frozen_at: Mapped[datetime | None]
    """When the people of a rule's segment were written down; a static one's members are known at launch."""
    launched_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    launched_by_token_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    launched_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    template: Mapped[Template] = relationship()


class AudiencePerson(Base):
    """Who belonged to a rule's segment at the moment of launch; a static segment's members say it themselves."""

    __tablename__ = "audience_person"
    __table_args__ = (
        ForeignKeyConstraint(
            ["broadcast_id", "environment"], ["broadcast.id", "broadcast.environment"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
    )

    broadcast_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]


class BroadcastTransition(Base):
    """One line of a broadcast's timeline: what changed, who did it, and why."""

    __tablename__ = "broadcast_transition"
    __table_args__ = (Index(None, "broadcast_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    from_state: Mapped[str]
    to_state: Mapped[str]
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    token_id: Mapped[int | None] = mapped_column(ForeignKey("api_token.id"))
    why: Mapped[str | None]
