from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import LEADS_TO, Base
from bot.models.words import Environment, SegmentKind, one_of


class Segment(Base):
    """A named audience. A static one is its members; of a rule's, who belongs is asked each time."""

    __tablename__ = "segment"
    __table_args__ = (
        ForeignKeyConstraint(["created_by_token_id", "environment"], ["api_token.id", "api_token.environment"]),
        UniqueConstraint("environment", "name"),
        UniqueConstraint("id", "environment"),
        CheckConstraint("(kind = 'rule') = (rule IS NOT NULL)", name="rule"),
        one_of("environment", Environment),
        one_of("kind", SegmentKind),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default=text("'static'"))
    rule: Mapped[dict[str, Any] | None]
    origin: Mapped[str | None]
    """What a static one was made from, in a sentence: an import, a selection, an outcome of a broadcast."""
    created_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    created_by_token_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class SegmentMember(Base):
    __tablename__ = "segment_member"
    __table_args__ = (
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
    )

    segment_id: Mapped[int] = mapped_column(primary_key=True, info={LEADS_TO: "segment"})
    person_id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    """A broadcast's audience is whoever was added before its launch; see broadcasts/audience/."""
