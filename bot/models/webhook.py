from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base
from bot.models.words import EventState, Severity, one_of


class WebhookEvent(Base):
    """A webhook body exactly as it came in. Partitioned by month, so that retention drops a partition."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        Index("ix_webhook_event_new", "id", postgresql_where=text("state = 'new'")),
        Index("ix_webhook_event_quarantined", "id", postgresql_where=text("state = 'quarantined'")),
        Index("ix_webhook_event_connection", "connection_id", "id"),
        one_of("state", EventState),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    content_type: Mapped[str | None]
    headers: Mapped[dict[str, Any] | None]
    """Those the provider's parser needs beside the body, by lower-case name."""
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(server_default="new")
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    done_at: Mapped[datetime | None]
    items: Mapped[int | None]
    """How many it held; this and the next two are filled when it is applied, for the event log."""
    kinds: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """What it held: message, status, template, notice, …"""
    number_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    redacted_at: Mapped[datetime | None]
    """When somebody who was erased was taken out of the body: it is no longer as it came in."""


class WebhookInHand(Base):
    """Events that a pump has begun and not finished, gone with the pump's commit; see webhooks/in_hand.py."""

    __tablename__ = "webhook_in_hand"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    mark: Mapped[str] = mapped_column(primary_key=True)
    ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    deaths: Mapped[int] = mapped_column(SmallInteger)
    """How many pumps will have died with these events in hand if this one does too."""


class WebhookDigest(Base):
    """SHA-256 of every body taken in; outlives the body, so a redelivery is recognised after retention."""

    __tablename__ = "webhook_digest"

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Quarantine(Base):
    """An item of a webhook that could not be applied: where in the body (a JSON pointer), and why."""

    __tablename__ = "quarantine"
    __table_args__ = (
        Index(None, "connection_id", "id"),
        Index(None, "webhook_event_id"),
        Index("ix_quarantine_open", "id", postgresql_where=text("replayed_at IS NULL AND dismissed_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    webhook_event_id: Mapped[int]
    pointer: Mapped[str]
    reason: Mapped[str]
    item: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    replayed_at: Mapped[datetime | None]
    """When it was applied after all."""
    replayed_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    dismissed_at: Mapped[datetime | None]
    """When somebody said that nothing is to be done about it."""
    dismissed_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))


class WebhookTally(Base):
    """How often something without effect came in a day: an unknown field, type or status word, a notice."""

    __tablename__ = "webhook_tally"

    day: Mapped[date] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """notice, type, status or mark."""
    word: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


class WebhookSighting(Base):
    """The last time a connection's address saw something of a kind: a handshake, say, or a refused signature."""

    __tablename__ = "webhook_sighting"

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    count: Mapped[int]
    detail: Mapped[dict[str, Any] | None]
    """Evidence for the doctor, without secrets and without the body."""


class Alert(Base):
    """What an operator has to know of an account or a number, once for each item of a webhook, or of Backchat."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("webhook_event_id", "pointer"),
        Index("ix_alert_open", "id", postgresql_where=text("resolved_at IS NULL")),
        one_of("severity", Severity),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int | None] = mapped_column(ForeignKey("connection.id"))
    """None: it is of Backchat itself."""
    number_id: Mapped[int | None] = mapped_column(ForeignKey("number.id"))
    webhook_event_id: Mapped[int | None]
    pointer: Mapped[str | None]
    kind: Mapped[str]
    severity: Mapped[str]
    text: Mapped[str]
    detail: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None]
    resolved_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
