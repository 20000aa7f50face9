from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Identity, Index, LargeBinary, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base
from bot.models.words import EventState, one_of


class WebhookEvent(Base):
    """A webhook body exactly as it came in. Partitioned by month, so that retention drops a partition."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        Index("ix_webhook_event_new", "id", postgresql_where=text("state = 'new'")),
        Index("ix_webhook_event_connection", "connection_id", "id"),
        one_of("state", EventState),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    content_type: Mapped[str | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(server_default="new")
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    done_at: Mapped[datetime | None]


class WebhookDigest(Base):
    """SHA-256 of every body taken in; outlives the body, so a redelivery is recognised after retention."""

    __tablename__ = "webhook_digest"

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Quarantine(Base):
    """An item of a webhook that could not be applied: where in the body (a JSON pointer), and why."""

    __tablename__ = "quarantine"
    __table_args__ = (Index(None, "connection_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    webhook_event_id: Mapped[int]
    pointer: Mapped[str]
    reason: Mapped[str]
    item: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    replayed_at: Mapped[datetime | None]
