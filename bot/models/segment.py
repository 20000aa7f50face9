from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base
from bot.models.words import Environment, ImportState, one_of


class Segment(Base):
    __tablename__ = "segment"
    __table_args__ = (
        UniqueConstraint("environment", "name"),
        UniqueConstraint("id", "environment"),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SegmentMember(Base):
    __tablename__ = "segment_member"
    __table_args__ = (
        ForeignKeyConstraint(["segment_id", "environment"], ["segment.id", "segment.environment"], ondelete="CASCADE"),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
    )

    segment_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    """A broadcast's audience is whoever was added before its launch; see broadcasts/audience.py."""


class StoredFile(Base):
    """An uploaded file, kept in the database in pieces so that any host's worker can read it."""

    __tablename__ = "stored_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class FilePiece(Base):
    __tablename__ = "file_piece"

    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ImportRun(Base):
    """One file on its way into a segment; `next_row` is how far the last committed chunk got, for a resume."""

    __tablename__ = "import_run"
    __table_args__ = (
        ForeignKeyConstraint(["segment_id", "environment"], ["segment.id", "segment.environment"]),
        Index(None, "environment", "id"),
        one_of("environment", Environment),
        one_of("state", ImportState),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    segment_id: Mapped[int]
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    dialect: Mapped[str]
    country: Mapped[str | None]
    encoding: Mapped[str | None]
    delimiter: Mapped[str | None]
    """How the file is written, found out by the worker before the first row is taken in."""
    state: Mapped[str]
    total: Mapped[int | None]
    next_row: Mapped[int] = mapped_column(server_default="0")
    created: Mapped[int] = mapped_column(server_default="0")
    updated: Mapped[int] = mapped_column(server_default="0")
    unchanged: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    problem: Mapped[str | None]
    """Why the whole file was refused, in a sentence."""
    lease_until: Mapped[datetime | None]
    created_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class RejectedRow(Base):
    """A row kept out, with its cells as they stood and the comment that goes back in the file."""

    __tablename__ = "rejected_row"

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    cells: Mapped[list[Any]]
    comment: Mapped[str]
