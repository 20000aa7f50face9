from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db import Base
from bot.models.words import Environment, one_of


class Connection(Base):
    """One account at a provider; its slug is the last part of its webhook address."""

    __tablename__ = "connection"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    provider: Mapped[str]
    account_id: Mapped[str]
    base_url: Mapped[str]
    sealed_secrets: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_former: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Secrets that were replaced and are still accepted from the provider for a while, each with its end."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    numbers: Mapped[list["Number"]] = relationship(back_populates="connection")


class Number(Base):
    """A business number: the unit of pace and of environment, named by the provider's own id."""

    __tablename__ = "number"
    __table_args__ = (
        UniqueConstraint("connection_id", "provider_number_id"),
        UniqueConstraint("id", "environment"),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    environment: Mapped[str]
    provider_number_id: Mapped[str]
    phone: Mapped[str]
    name: Mapped[str]
    pace_per_s: Mapped[int] = mapped_column(server_default="80")
    quality: Mapped[str | None]
    """GREEN, YELLOW, RED or UNKNOWN, as the provider last said."""
    tier: Mapped[str | None]
    """How many people a day may be written to first: TIER_250, …, TIER_UNLIMITED."""
    throughput: Mapped[str | None]
    told_at: Mapped[datetime | None]
    """Event time of the newest of these three."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    connection: Mapped[Connection] = relationship(back_populates="numbers")
