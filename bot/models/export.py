"""What raw data needs beside the tables it is taken from: rows that are gone, and exports asked for by page."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db import Base
from bot.models.words import Environment, RawExportState, one_of


class RowGone(Base):
    """A row that was deleted from a table of which exports hold changes alone; triggers write it down."""

    __tablename__ = "row_gone"
    __table_args__ = (Index(None, "name", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    """The table's, as exports call it."""
    environment: Mapped[str | None]
    """Empty where the table does not say it of its rows."""
    row_id: Mapped[int | None]
    person_id: Mapped[int | None]
    """Where a person is the row's key, or part of it."""
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class RawExport(Base):
    """An export that somebody asked for on the page: one file on the shelf, until it expires."""

    __tablename__ = "raw_export"
    __table_args__ = (
        Index(None, "environment", "id"),
        Index("ix_raw_export_due", "id", postgresql_where=text("state IN ('waiting', 'running')")),
        one_of("environment", Environment),
        one_of("state", RawExportState),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    is_pseudonymised: Mapped[bool]
    since_id: Mapped[int | None] = mapped_column(ForeignKey("raw_export.id"))
    """The export whose changes since then it is to hold; empty: everything."""
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    at_table: Mapped[str | None]
    tables_done: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    rows_done: Mapped[int] = mapped_column(server_default="0")
    manifest: Mapped[dict[str, Any] | None]
    """Once it is there: what the export says of itself, where the next one goes on."""
    size: Mapped[int | None]
    storage_key: Mapped[str | None]
    """Empty again once the file is deleted."""
    problem: Mapped[str | None]
    """Why there is no file, in a sentence."""

    since: Mapped["RawExport | None"] = relationship(remote_side="RawExport.id")
