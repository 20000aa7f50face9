"""Summaries of Insights that go out by themselves, and what became of each."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base
from bot.models.words import Environment, SummaryRhythm, SummaryWay, one_of


class Summary(Base):
    """To one place, at one hour, again and again."""

    __tablename__ = "summary"
    __table_args__ = (
        Index(None, "environment"),
        Index("ix_summary_due", "next_at", postgresql_where=text("stopped_at IS NULL")),
        one_of("environment", Environment),
        one_of("rhythm", SummaryRhythm),
        one_of("way", SummaryWay),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    rhythm: Mapped[str]
    weekday: Mapped[int] = mapped_column(SmallInteger)
    """On which a weekly one goes out; 1 is Monday."""
    hour: Mapped[int] = mapped_column(SmallInteger)
    """Of the workspace's zone, 0 to 23."""
    way: Mapped[str]
    place: Mapped[str]
    """The e-mail address; of a chat only its host, as whoever knows the whole address can write there."""
    sealed_place: Mapped[bytes] = mapped_column(LargeBinary)
    language: Mapped[str]
    next_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    created_by_operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SummaryRun(Base):
    """One that is to go out, went out, or could not."""

    __tablename__ = "summary_run"
    __table_args__ = (
        Index("uq_summary_run_summary_id_last", "summary_id", "last", unique=True, postgresql_where=text("NOT asked")),
        Index("ix_summary_run_due", "due_at", postgresql_where=text("sent_at IS NULL AND given_up_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    summary_id: Mapped[int] = mapped_column(ForeignKey("summary.id", ondelete="CASCADE"), index=True)
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    asked: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether somebody pressed for it; the others go out once for each period."""
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_until: Mapped[datetime | None]
    problem: Mapped[str | None]
    """Of the last attempt, as bot/insights/summaries/problems.py says it."""
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
