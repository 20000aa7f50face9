from datetime import datetime
from typing import Any

from sqlalchemy import (
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db import Base
from bot.models.words import BroadcastOrigin, BroadcastState, Environment, SegmentRole, WinnerMetric, one_of


class Template(Base):
    """A message template as the provider approved it; (connection, name, language) is its identity."""

    __tablename__ = "template"
    __table_args__ = (UniqueConstraint("connection_id", "name", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    name: Mapped[str]
    language: Mapped[str]
    category: Mapped[str]
    status: Mapped[str]
    parameter_format: Mapped[str] = mapped_column(server_default="POSITIONAL")
    components: Mapped[list[Any]]
    provider_template_id: Mapped[str | None]
    quality: Mapped[str | None]
    """GREEN, YELLOW, RED or UNKNOWN, as the provider last said."""
    reason: Mapped[str | None]
    """Why it is rejected, paused or disabled, in a sentence."""
    told_at: Mapped[datetime | None]
    """Event time of the newest status; an older one that comes late changes nothing."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class TemplateFetch(Base):
    """The last time a connection's list of templates was fetched, and whether somebody waits for the next."""

    __tablename__ = "template_fetch"

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True)
    wanted_at: Mapped[datetime | None]
    """When somebody asked for it; None once it was done."""
    lease_until: Mapped[datetime | None]
    """A worker is at it until then, or has died."""
    finished_at: Mapped[datetime | None]
    listed: Mapped[int | None]
    """How many templates the provider named, the last time it answered."""
    problem: Mapped[str | None]
    """What went wrong the last time, in a sentence."""


class TemplateState(Base):
    """One line of a template's history: what it was from then on, and who said so or asked for it."""

    __tablename__ = "template_state"
    __table_args__ = (Index(None, "template_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    status: Mapped[str]
    category: Mapped[str]
    quality: Mapped[str | None]
    reason: Mapped[str | None]
    source: Mapped[str]
    """list, webhook or here: where it was learned."""
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    token_id: Mapped[int | None] = mapped_column(ForeignKey("api_token.id"))


class Broadcast(Base):
    """A template, its slots and the segments it goes to. The audience is frozen at launch: see AudiencePerson."""

    __tablename__ = "broadcast"
    __table_args__ = (
        ForeignKeyConstraint(["launched_by_token_id", "environment"], ["api_token.id", "api_token.environment"]),
        UniqueConstraint("id", "environment"),
        ForeignKeyConstraint(["number_id", "environment"], ["number.id", "number.environment"]),
        ForeignKeyConstraint(["topic_id", "environment"], ["topic.id", "topic.environment"]),
        Index(None, "environment", "id"),
        Index(None, "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index("ix_broadcast_busy", "number_id", postgresql_where=text("state IN ('materialising', 'running')")),
        Index("ix_broadcast_scheduled", "scheduled_at", postgresql_where=text("state = 'scheduled'")),
        one_of("environment", Environment),
        one_of("state", BroadcastState),
        one_of("origin", BroadcastOrigin),
        one_of("winner_metric", WinnerMetric),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    number_id: Mapped[int]
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    topic_id: Mapped[int | None]
    """Whoever does not want the topic is left out, at launch and once more before the wire."""
    slots: Mapped[dict[str, Any]]
    """Slot name to text with `<<user.…>>`: {"body.1": "<<user.first_name>>"}."""
    frozen_template: Mapped[dict[str, Any] | None]
    """Name, language and components as they stood at launch; every send uses these."""
    state: Mapped[str]
    reason: Mapped[str | None]
    """Why it is paused or cancelled, in a sentence."""
    origin: Mapped[str] = mapped_column(server_default=text("'new'"))
    """How it came about: made anew, a copy, a retry of what failed, or a test send of its parent."""
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id", ondelete="SET NULL"))

    scheduled_at: Mapped[datetime | None]
    """When it begins by itself; with `local_time`, when it is that time where it comes first."""
    local_time: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    """Day and time on each person's own clock, without a zone."""
    not_after: Mapped[datetime | None]
    """Whoever still waits then is left out."""
    heeds_quiet_hours: Mapped[bool] = mapped_column(server_default=text("true"))
    heeds_frequency: Mapped[bool] = mapped_column(server_default=text("true"))
    skips_gaps: Mapped[bool] = mapped_column(server_default=text("false"))
    """Somebody decided that whoever lacks a value is left out; without it a launch with gaps is refused."""
    resends_unsent: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whoever is presumed unsent is written to once more, by itself; else somebody has to say so."""
    pace_per_s: Mapped[int | None]
    """A limit of its own below the number's."""
    tier_percent: Mapped[int | None] = mapped_column(SmallInteger)
    """Of the number's daily tier, how much it may use up; empty for what the policy says."""

    canary_percent: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """Share of the audience that gets it first, and is watched for `canary_minutes` before the others."""
    canary_minutes: Mapped[int] = mapped_column(SmallInteger, server_default="10")
    stop_failed_percent: Mapped[int | None] = mapped_column(SmallInteger)
    """Pauses itself when more than this share of those attempted failed; empty for what the policy says."""
    stop_opt_out_percent: Mapped[int | None] = mapped_column(SmallInteger)
    """Pauses itself when more than this share of those reached opted out."""
    holdout_percent: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """Share that gets nothing, to compare with."""
    trial_percent: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """Share among whom the variants are tried; the others wait for the winner. 0: everybody gets one of them."""
    winner_metric: Mapped[str | None]
    winner_minutes: Mapped[int | None]
    """How long after the trial's last send the winner is chosen."""
    winner: Mapped[int | None] = mapped_column(SmallInteger)
    """The variant that won, once it is decided."""

    wave: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """Of the waves of its audience (canary, trial, the rest) the one being made and sent; see `audience.waves`."""
    wave_until: Mapped[datetime | None]
    """Until then the wave that was sent is watched."""
    cursor: Mapped[int] = mapped_column(server_default="0")
    """Greatest person id of the wave already turned into a message; moves in the same transaction as the rows."""
    audience_frozen_at: Mapped[datetime | None]
    """When the people of its segments were written down."""

    confirmed_people: Mapped[int | None]
    """The size of the audience as somebody typed it to launch."""
    asked_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    """Who asked a second operator to approve it."""
    approved_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    launched_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    launched_by_token_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    launched_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    template: Mapped[Template] = relationship()
    segments: Mapped[list["BroadcastSegment"]] = relationship(
        order_by="BroadcastSegment.segment_id", cascade="all, delete-orphan"
    )


class BroadcastSegment(Base):
    """A segment a broadcast goes to, or one whose people are left out of it."""

    __tablename__ = "broadcast_segment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["broadcast_id", "environment"], ["broadcast.id", "broadcast.environment"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["segment_id", "environment"], ["segment.id", "segment.environment"]),
        Index(None, "segment_id"),
        one_of("role", SegmentRole),
    )

    broadcast_id: Mapped[int] = mapped_column(primary_key=True)
    segment_id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    role: Mapped[str] = mapped_column(server_default=text("'to'"))


class BroadcastWording(Base):
    """Another wording than the broadcast's own template: of a variant of an A/B test, in a language, or both.

    The broadcast's own template and slots are variant 0 in whatever language nobody else has a wording for.
    """

    __tablename__ = "broadcast_wording"
    __table_args__ = (UniqueConstraint("broadcast_id", "variant", "language", postgresql_nulls_not_distinct=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"))
    variant: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """0 is A, 1 is B, …"""
    language: Mapped[str | None]
    """For people of that language, as in their profile; empty for everybody of the variant without one of their own."""
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    slots: Mapped[dict[str, Any]]
    frozen_template: Mapped[dict[str, Any] | None]

    template: Mapped[Template] = relationship()


class AudiencePerson(Base):
    """Who belonged to a broadcast's segments at the moment of launch, and what is set for them by then."""

    __tablename__ = "audience_person"
    __table_args__ = (
        ForeignKeyConstraint(
            ["broadcast_id", "environment"], ["broadcast.id", "broadcast.environment"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
        Index(None, "broadcast_id", "wave", "person_id"),
    )

    broadcast_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    wave: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """0 canary, 1 trial of the variants, 2 everybody else."""
    variant: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    refusal: Mapped[str | None]
    """Why they get no message after all, known at launch: held out, or written to often enough."""


class BroadcastResponse(Base):
    """What a person did after a broadcast reached them: that they replied, that they opted out. Each counts once."""

    __tablename__ = "broadcast_response"
    __table_args__ = (
        ForeignKeyConstraint(
            ["broadcast_id", "environment"], ["broadcast.id", "broadcast.environment"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
        Index(None, "reply_message_id"),
    )

    broadcast_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    """What they answered to: the broadcast's message to them."""
    reply_message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"))
    replied_at: Mapped[datetime | None]
    opted_out_at: Mapped[datetime | None]


class BroadcastTransition(Base):
    """One line of a broadcast's timeline: what changed, who did it, and why."""

    __tablename__ = "broadcast_transition"
    __table_args__ = (Index(None, "broadcast_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    from_state: Mapped[str]
    to_state: Mapped[str]
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    token_id: Mapped[int | None] = mapped_column(ForeignKey("api_token.id"))
    why: Mapped[str | None]
