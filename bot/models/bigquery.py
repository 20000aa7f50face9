"""How far the tables for analysts have got in BigQuery; docs/bigquery.md tells what may break off where."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base


class BigqueryRun(Base):
    """Once through all tables; of a destination one at a time, and the next begins where this one's mark is."""

    __tablename__ = "bigquery_run"
    __table_args__ = (
        Index("uq_bigquery_run_open", "destination", unique=True, postgresql_where=text("finished_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    destination: Mapped[str]
    """project.dataset"""
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    finished_at: Mapped[datetime | None]
    cluster: Mapped[str]
    oldest: Mapped[int]
    """With `cluster` the mark of its beginning: what was written before it is in its tables."""
    rows: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    """In a row; nothing failed since the last success."""
    problem: Mapped[dict[str, Any] | None]
    """The last failure as bot/insights/bigquery/problems.py says it, until something succeeds."""
    asked_at: Mapped[datetime | None]
    """Somebody wanted the next one to begin as soon as this one has ended."""
    due_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    lease_until: Mapped[datetime | None]
    """A worker is at it until then, or has died."""


class BigqueryTable(Base):
    """One table's place. All of it is sent anew when `form` is no longer what is wanted."""

    __tablename__ = "bigquery_table"

    destination: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[int]
    """The run that is at it, or was last."""
    is_done: Mapped[bool] = mapped_column(server_default=text("false"))
    form: Mapped[str]
    """Environment, schema, and whether people are pseudonyms, as of its rows there."""
    cluster: Mapped[str | None]
    oldest: Mapped[int | None]
    """What was written before this mark is merged; none: nothing is sure to be."""
    began_at: Mapped[datetime | None]
    """Of a reading of everything the first rows' moment: what is older there when it has ended is gone here."""
    after: Mapped[list[Any] | None]
    """The last key that is merged."""
    in_hand: Mapped[dict[str, Any] | None]
    """The job at BigQuery whose end is waited for."""
    digest: Mapped[str | None]
    """Of a table that is sent as a whole and fits into one load: what it was last, so that it is not sent again."""
    rows: Mapped[int] = mapped_column(server_default="0")
    """Sent since the beginning."""
