from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base
from bot.models.words import Environment, ImportState, RowVerdict, one_of


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
        ForeignKeyConstraint(["created_by_token_id", "environment"], ["api_token.id", "api_token.environment"]),
        UniqueConstraint("id", "environment"),
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
    format: Mapped[str | None]
    """csv (any delimiter) or xlsx."""
    channel: Mapped[str] = mapped_column(server_default=text("'whatsapp'"))
    erases_blanks: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether an empty cell empties what was known; otherwise it leaves it alone."""
    findings: Mapped[dict[str, Any] | None]
    """What the preview says of the file itself: see broadcasts/imports/reading/findings.py."""
    state: Mapped[str]
    total: Mapped[int | None]
    next_row: Mapped[int] = mapped_column(server_default="0")
    created: Mapped[int] = mapped_column(server_default="0")
    updated: Mapped[int] = mapped_column(server_default="0")
    unchanged: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    judged: Mapped[int] = mapped_column(server_default="0")
    """How many rows the check has read so far; the five below add up to it, together with `excess`."""
    will_create: Mapped[int] = mapped_column(server_default="0")
    will_update: Mapped[int] = mapped_column(server_default="0")
    will_keep: Mapped[int] = mapped_column(server_default="0")
    will_fail: Mapped[int] = mapped_column(server_default="0")
    superseded: Mapped[int] = mapped_column(server_default="0")
    """Rows that a later row of the same file replaces."""
    excess: Mapped[int] = mapped_column(server_default="0")
    """Rows above the limit of the dialect."""
    problem: Mapped[str | None]
    """Why the whole file was refused, in a sentence."""
    lease_until: Mapped[datetime | None]
    created_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    created_by_token_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    checked_at: Mapped[datetime | None]
    """When the preview was complete."""
    confirmed_at: Mapped[datetime | None]
    """When somebody said that it shall be taken in; set from the start where nobody wants to look first."""
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    undone_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    undone: Mapped[dict[str, Any] | None]
    """What undoing it did so far: {"removed": 3, "restored": 2, "kept": {"messages": 1}}, people of each."""


class ImportRow(Base):
    """A row of a list as it was judged: what it wants, or, where it failed, its cells, the reason and a proposal."""

    __tablename__ = "import_row"
    __table_args__ = (
        Index("ix_import_row_failed", "import_id", "row", postgresql_where=text("verdict = 'failed'")),
        one_of("verdict", RowVerdict),
    )

    import_id: Mapped[int] = mapped_column(primary_key=True)
    """Without a foreign key: looking the run up again for each row costs a third of staging it."""
    row: Mapped[int] = mapped_column(primary_key=True)
    """As a spreadsheet counts, from 1."""
    verdict: Mapped[str]
    distinct_id: Mapped[str | None]
    phone: Mapped[str | None]
    wanted: Mapped[dict[str, Any] | None]
    """What it stores: {"country", "email", "columns": {…}, "attributes": {…}}; None where it failed."""
    cells: Mapped[list[Any] | None]
    """As they stood in the file, kept where it failed."""
    column: Mapped[int | None]
    """Place of the cell at fault, from 0; None where the row as a whole is."""
    problem_kind: Mapped[str | None]
    """Which class of error: see broadcasts/imports/reading/problems.py."""
    comment: Mapped[str | None]
    proposal: Mapped[dict[str, Any] | None]
    """Cells that would make it right, by place: {"1": "+201012345678"}."""


class ImportChange(Base):
    """What an import did to somebody known before it, so that it can be undone; whom it made says so: `import_id`."""

    __tablename__ = "import_change"
    __table_args__ = (
        ForeignKeyConstraint(
            ["import_id", "environment"], ["import_run.id", "import_run.environment"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
    )

    import_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    has_joined: Mapped[bool]
    """Whether the import made them a member of its segment; otherwise they were one before."""
    before: Mapped[dict[str, Any] | None]
    """What changed, as it was: columns, attributes and addresses; a name with null was not there."""
    after: Mapped[dict[str, Any] | None]
    """The same names as the import left them: what was changed again since is left alone by an undo."""
