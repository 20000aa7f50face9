from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base
from bot.models.words import Channel, Environment, one_of


class Topic(Base):
    """Something people may want to hear about or not; a broadcast is about one of them, or about none."""

    __tablename__ = "topic"
    __table_args__ = (
        UniqueConstraint("environment", "name"),
        UniqueConstraint("id", "environment"),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    archived_at: Mapped[datetime | None]
    """No broadcast can be about it any more; what people wanted is kept."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Preference(Base):
    """Whether a person wants a topic by a channel; without a topic, anything by that channel. No row means yes."""

    __tablename__ = "preference"
    __table_args__ = (
        ForeignKeyConstraint(["token_id", "environment"], ["api_token.id", "api_token.environment"]),
        UniqueConstraint("person_id", "topic_id", "channel", postgresql_nulls_not_distinct=True),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        ForeignKeyConstraint(["topic_id", "environment"], ["topic.id", "topic.environment"], ondelete="CASCADE"),
        one_of("channel", Channel),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    person_id: Mapped[int]
    topic_id: Mapped[int | None]
    channel: Mapped[str]
    wants: Mapped[bool]
    source: Mapped[str]
    """coach, api, import or webhook: who told us."""
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    token_id: Mapped[int | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
