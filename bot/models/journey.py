from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db import Base
from bot.models.words import Environment, ReminderState, RunState, one_of


class Journey(Base):
    """One version of a stack, with the text it was loaded from; a run stays on the version it began with."""

    __tablename__ = "journey"
    __table_args__ = (
        UniqueConstraint("environment", "name", "version"),
        Index("uq_journey_active", "environment", "name", unique=True, postgresql_where=text("active")),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    version: Mapped[int]
    source: Mapped[str]
    spec: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class JourneyRun(Base):
    """A person on their way through a journey; at most one run per thread waits for an answer."""

    __tablename__ = "journey_run"
    __table_args__ = (
        Index(
            "uq_journey_run_waiting", "person_id", "number_id", unique=True, postgresql_where=text("state = 'waiting'")
        ),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
        ForeignKeyConstraint(["number_id", "environment"], ["number.id", "number.environment"]),
        one_of("state", RunState),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    journey_id: Mapped[int] = mapped_column(ForeignKey("journey.id"))
    person_id: Mapped[int]
    number_id: Mapped[int]
    step: Mapped[int]
    """Index of the step that waits, or of the last one taken."""
    state: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]

    journey: Mapped[Journey] = relationship()


class Reminder(Base):
    """A message to one person or one segment at a time; fired once by the clock, or listed as missed."""

    __tablename__ = "reminder"
    __table_args__ = (
        ForeignKeyConstraint(["number_id", "environment"], ["number.id", "number.environment"]),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
        ForeignKeyConstraint(["segment_id", "environment"], ["segment.id", "segment.environment"]),
        Index("ix_reminder_due", "due_at", postgresql_where=text("state = 'scheduled'")),
        one_of("environment", Environment),
        one_of("state", ReminderState),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    number_id: Mapped[int]
    person_id: Mapped[int | None]
    segment_id: Mapped[int | None]
    text: Mapped[str]
    """What is sent, with `<<user.…>>` placeholders, or the slots of `template_id`."""
    template_id: Mapped[int | None] = mapped_column(ForeignKey("template.id"))
    due_at: Mapped[datetime]
    state: Mapped[str]
    fired_at: Mapped[datetime | None]
    created_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
