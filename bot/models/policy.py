from datetime import datetime, time
from decimal import Decimal

from sqlalchemy import ForeignKey, Numeric, SmallInteger, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base
from bot.models.words import Environment, StopMeaning, one_of


class SendingPolicy(Base):
    """What an environment's broadcasts have to keep to; without a row everything is as the defaults say."""

    __tablename__ = "sending_policy"
    __table_args__ = (one_of("environment", Environment),)

    environment: Mapped[str] = mapped_column(primary_key=True)
    quiet_from: Mapped[time | None]
    """On each person's own clock; marketing that falls between waits for `quiet_to`. Both or neither."""
    quiet_to: Mapped[time | None]
    type_count_above: Mapped[int] = mapped_column(server_default="1000")
    """Launching to more people asks to type how many they are."""
    approve_above: Mapped[int | None]
    """Launching to more people needs a second operator; empty for never."""
    frequency_messages: Mapped[int | None] = mapped_column(SmallInteger)
    """So many marketing messages of broadcasts in `frequency_days`, and no more; empty for no cap."""
    frequency_days: Mapped[int] = mapped_column(SmallInteger, server_default="7")
    tier_percent: Mapped[int] = mapped_column(SmallInteger, server_default="80")
    """How much of a number's daily tier broadcasts may use up."""
    stop_failed_percent: Mapped[int] = mapped_column(SmallInteger, server_default="20")
    stop_opt_out_percent: Mapped[int] = mapped_column(SmallInteger, server_default="5")
    response_days: Mapped[int] = mapped_column(SmallInteger, server_default="3")
    """How long after a broadcast's message what a person writes counts as an answer to it."""
    updated_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class MessageRate(Base):
    """What one delivered template message costs, as the operator keeps it; the country `*` is everywhere else."""

    __tablename__ = "message_rate"
    __table_args__ = (UniqueConstraint("country", "category"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    country: Mapped[str]
    """ISO 3166 alpha-2, or `*`."""
    category: Mapped[str]
    """MARKETING, UTILITY or AUTHENTICATION."""
    price: Mapped[Decimal] = mapped_column(Numeric(12, 6))
    currency: Mapped[str]
    """ISO 4217; one for all rates."""


class StopWord(Base):
    """A word that was added to those built in, or switches one of them off; see bot/people/stop_words.py."""

    __tablename__ = "stop_word"
    __table_args__ = (
        UniqueConstraint("environment", "phrase"),
        one_of("environment", Environment),
        one_of("meaning", StopMeaning),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    language: Mapped[str]
    phrase: Mapped[str]
    """As it is compared: case folded, without marks around it, single spaces."""
    meaning: Mapped[str]
    created_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StopReply(Base):
    """What somebody who wrote a stop or a resume word is answered, once, where it is not what is built in."""

    __tablename__ = "stop_reply"
    __table_args__ = (one_of("environment", Environment), one_of("meaning", StopMeaning))

    environment: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    meaning: Mapped[str] = mapped_column(primary_key=True)
    wording: Mapped[str]
    """Empty: nothing is said."""
