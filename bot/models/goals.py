"""Goals: what people are hoped to do, the behaviours that tell, and who did which on which day."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, SmallInteger, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db import Base
from bot.models.words import Environment, one_of


class BehaviourRole(StrEnum):
    """Where on the way to its goal a behaviour stands."""

    START = "start"
    WAY = "way"
    COMPLETION = "completion"


class BehaviourKind(StrEnum):
    ATTRIBUTE = "attribute"
    STEP = "step"
    KEYWORD = "keyword"
    EVENT = "event"
    LINK = "link"


class Goal(Base):
    """Something people are to reach: from its start, by what is on the way, to its completion."""

    __tablename__ = "goal"
    __table_args__ = (
        UniqueConstraint("environment", "name"),
        UniqueConstraint("id", "environment"),
        ForeignKeyConstraint(["created_by_token_id", "environment"], ["api_token.id", "api_token.environment"]),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    looks_back: Mapped[bool]
    """Whether what is stored already counts too, as far as it can be told from it."""
    created_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    created_by_token_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    behaviours: Mapped[list["Behaviour"]] = relationship(
        order_by="Behaviour.position", cascade="all, delete-orphan", passive_deletes=True
    )


class Behaviour(Base):
    """A condition of one kind, at its place in a goal. Another condition is another behaviour."""

    __tablename__ = "behaviour"
    __table_args__ = (
        ForeignKeyConstraint(["goal_id", "environment"], ["goal.id", "goal.environment"], ondelete="CASCADE"),
        Index(None, "goal_id"),
        Index("ix_behaviour_unlooked", "id", postgresql_where=text("looked_at IS NULL")),
        one_of("role", BehaviourRole),
        one_of("kind", BehaviourKind),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    goal_id: Mapped[int]
    environment: Mapped[str]
    role: Mapped[str]
    position: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]
    kind: Mapped[str]
    condition: Mapped[dict[str, Any]]
    """As bot/goals/conditions.py has checked it."""
    time_zone: Mapped[str]
    """Its days begin at midnight there; in another zone they are cut anew."""
    since: Mapped[datetime | None]
    """What was stored before does not count; empty: all counts."""
    made_in: Mapped[int]
    """The transaction: whoever was at work before it did not know of the behaviour, and is waited for."""
    looked_to: Mapped[int] = mapped_column(server_default="0")
    """Up to which row of what is stored the look back has come."""
    look_to: Mapped[int | None]
    """The last row it has to look at; empty before it begins."""
    looked_at: Mapped[datetime | None]
    """When it was through; empty while it has to go on."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BehaviourDay(Base):
    """A person did it on a day, counted from their first time that day, with whatever had been sent to them last."""

    __tablename__ = "behaviour_day"
    __table_args__ = (
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
        # Who did it within some days is counted without a look at the rows.
        Index(None, "behaviour_id", "day", postgresql_include=["person_id", "number_id"]),
    )

    behaviour_id: Mapped[int] = mapped_column(ForeignKey("behaviour.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    """Of the behaviour's zone. -infinity: an attribute that they had when the behaviour was made, as `at` is then."""
    environment: Mapped[str]
    at: Mapped[datetime]
    number_id: Mapped[int | None]
    """Of the number it came in at, else of the one that had sent them something last."""
    author_kind: Mapped[str]
    """Of what was sent last, within seven days before; empty: nothing was."""
    author_id: Mapped[int]
    """Of the journey, operator, reminder, token or broadcast; 0 where a kind has none."""
    author_step: Mapped[int | None] = mapped_column(SmallInteger)
    """Of a journey, the first is 1."""
    after_message_id: Mapped[int | None]


class PersonEvent(Base):
    """Something a program says a person did, once for each key."""

    __tablename__ = "person_event"
    __table_args__ = (
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        ForeignKeyConstraint(["token_id", "environment"], ["api_token.id", "api_token.environment"]),
        UniqueConstraint("environment", "person_id", "name", "key"),
        Index(None, "person_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    person_id: Mapped[int]
    name: Mapped[str]
    at: Mapped[datetime]
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    key: Mapped[str | None]
    """The sender's own word for this one event: told twice, it is one."""
    token_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TrackedLink(Base):
    """An address of ours that leads to `target`; who follows it is told by the token in it."""

    __tablename__ = "tracked_link"
    __table_args__ = (
        UniqueConstraint("environment", "name"),
        UniqueConstraint("id", "environment"),
        ForeignKeyConstraint(["created_by_token_id", "environment"], ["api_token.id", "api_token.environment"]),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    """As texts have it, `<<link.name>>`; it stays, for messages may wait with it."""
    target: Mapped[str]
    key: Mapped[bytes] = mapped_column(LargeBinary)
    """Signs its tokens, so that nobody makes one for somebody else."""
    created_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    created_by_token_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LinkClick(Base):
    """Each time a link was asked for, by whomever it had been sent to or by a machine that looks ahead."""

    __tablename__ = "link_click"
    __table_args__ = (
        ForeignKeyConstraint(["link_id", "environment"], ["tracked_link.id", "tracked_link.environment"]),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "link_id"),
        Index(None, "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    link_id: Mapped[int]
    person_id: Mapped[int]
    at: Mapped[datetime]
    is_preview: Mapped[bool]
    """Asked for by a preview or ahead of a tap: kept, and not counted."""
