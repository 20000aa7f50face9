"""What Insights has counted. Triggers on what is counted append deltas, the clock folds them into totals.

No table has a foreign key: a check would lock the row it refers to, the same one for everybody who counts.
"""

from datetime import date, datetime

from sqlalchemy import Index, PrimaryKeyConstraint, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.db import Base


class InsightGeneration(Base):
    """One counting of everything from zero, never the same id twice. Pages read the current one."""

    __tablename__ = "insight_generation"
    __table_args__ = (
        Index("uq_insight_generation_current", "is_current", unique=True, postgresql_where=text("is_current")),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    time_zone: Mapped[str]
    """Its days begin at midnight there; another zone needs another generation."""
    filled_to: Mapped[int] = mapped_column(server_default="0")
    """Up to which person it is right; the triggers count for it whoever is not above."""
    is_current: Mapped[bool] = mapped_column(server_default=text("false"))
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    filled_at: Mapped[datetime | None]


class _Counted:
    """Whose number's, and on which day: a message's own is that of its acceptance, or of its event if it came in."""

    generation: Mapped[int] = mapped_column(SmallInteger)
    environment: Mapped[str]
    number_id: Mapped[int]
    day: Mapped[date]


class _Messages:
    received: Mapped[int]
    sent: Mapped[int]
    """A provider took it."""
    delivered: Mapped[int]
    read: Mapped[int]
    failed: Mapped[int]
    """At once, or reported later of one that was sent."""
    refused: Mapped[int]
    """Of those that failed: never sent."""
    replied: Mapped[int] = mapped_column(server_default="0")
    """Of those that were sent: there is a MessageReply."""


class MessageDay(_Counted, _Messages, Base):
    """Messages of a day by who wrote them; what people wrote has the empty kind."""

    __tablename__ = "message_day"
    __table_args__ = (
        PrimaryKeyConstraint("generation", "environment", "number_id", "level", "day", "author_kind", "author_id"),
    )

    level: Mapped[int] = mapped_column(SmallInteger)
    """0: the kind's sum, with author 0; 1: each author's."""
    author_kind: Mapped[str]
    author_id: Mapped[int]
    """Of the journey, operator, reminder, token or broadcast; 0 where a kind has none."""


class MessageHour(_Counted, Base):
    """Messages by the hour that clocks in the workspace's zone showed."""

    __tablename__ = "message_hour"
    __table_args__ = (PrimaryKeyConstraint("generation", "environment", "number_id", "day", "hour"),)

    hour: Mapped[int] = mapped_column(SmallInteger)
    received: Mapped[int]
    sent: Mapped[int]


class MessageDelta(_Counted, _Messages, Base):
    """What one statement changed in both, until it is folded."""

    __tablename__ = "message_delta"

    id: Mapped[int] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(SmallInteger)
    author_kind: Mapped[str]
    author_id: Mapped[int]


class ActivePerson(Base):
    """The country of everybody who ever wrote, as of their first message; also of those who were erased."""

    __tablename__ = "active_person"

    person_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    country: Mapped[str]
    """ISO 3166 alpha-2; empty where nothing tells it."""


class ActiveDay(Base):
    """A person wrote on a day, to a number; number 0 is any of them."""

    __tablename__ = "active_day"

    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    number_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)


class ActiveGap(_Counted, Base):
    """How many people wrote on `day` and on `previous` but not between: docs/insights.md says what that is good for."""

    __tablename__ = "active_gap"
    __table_args__ = (
        PrimaryKeyConstraint("generation", "environment", "number_id", "level", "previous", "day", "country"),
    )

    level: Mapped[int] = mapped_column(SmallInteger)
    """0: whatever the previous day; 1: by its week's Monday; 2: by the day itself, of those who have one."""
    previous: Mapped[date]
    """-infinity: never before."""
    country: Mapped[str]
    people: Mapped[int]


class ActiveDelta(_Counted, Base):
    """What one statement changed in the gaps, until it is folded."""

    __tablename__ = "active_delta"

    id: Mapped[int] = mapped_column(primary_key=True)
    previous: Mapped[date]
    country: Mapped[str]
    people: Mapped[int]


class FactDay(_Counted, Base):
    """How often something happened on a day, as bot/insights/facts.py names it; -infinity: how it stands now."""

    __tablename__ = "fact_day"
    __table_args__ = (PrimaryKeyConstraint("generation", "environment", "number_id", "fact", "day"),)

    fact: Mapped[str]
    many: Mapped[int]


class ResponseStep(_Counted, Base):
    """First answers by how long they took, roughly: tells in which step the middle one is."""

    __tablename__ = "response_step"
    __table_args__ = (PrimaryKeyConstraint("generation", "environment", "number_id", "level", "day", "step"),)

    level: Mapped[int] = mapped_column(SmallInteger)
    """0: of the day; 1: of the week that begins on it."""
    step: Mapped[int] = mapped_column(SmallInteger)
    many: Mapped[int]


class ResponseTime(_Counted, Base):
    """The same to three digits: read of the few steps in which somebody wants to know them."""

    __tablename__ = "response_time"
    __table_args__ = (
        PrimaryKeyConstraint("generation", "environment", "number_id", "level", "step", "day", "seconds"),
    )

    level: Mapped[int] = mapped_column(SmallInteger)
    step: Mapped[int] = mapped_column(SmallInteger)
    seconds: Mapped[int]
    many: Mapped[int]


class FactDelta(_Counted, Base):
    """What one statement changed in these three, until it is folded."""

    __tablename__ = "fact_delta"

    id: Mapped[int] = mapped_column(primary_key=True)
    fact: Mapped[str]
    seconds: Mapped[int]
    """Of an answer, how long it took; else 0."""
    many: Mapped[int]


class _Span:
    """What people did for a goal: the sum over all spans that lie within a period has each of them once.

    docs/insights.md says why. Both ends are days of the workspace's zone.
    """

    generation: Mapped[int] = mapped_column(SmallInteger)
    goal_id: Mapped[int]
    number_id: Mapped[int]
    """0: any."""
    since: Mapped[date]
    until: Mapped[date]
    people: Mapped[int]
    """Below zero where they count for a longer one already."""


class _Levels:
    since_level: Mapped[int] = mapped_column(SmallInteger)
    """0: of the day; 1: of the month that begins on it. So is the next, of `until`."""
    until_level: Mapped[int] = mapped_column(SmallInteger)


class _Done:
    part: Mapped[str]
    """As bot/insights/spans.py names it."""
    behaviour_id: Mapped[int]
    """0: the goal's own."""


class _Author:
    author_kind: Mapped[str]
    """Of what had been sent last, as BehaviourDay has it, and so are the next two."""
    author_id: Mapped[int]
    author_step: Mapped[int] = mapped_column(SmallInteger)
    """0: of none."""


_SPAN = ("since_level", "until_level", "since", "until")


class GoalSpan(_Span, _Levels, _Done, Base):
    """Of each behaviour and of the goal; completions by roughly how long they took."""

    __tablename__ = "goal_span"
    __table_args__ = (
        PrimaryKeyConstraint("generation", "goal_id", "number_id", *_SPAN, "part", "behaviour_id", "step"),
    )

    step: Mapped[int] = mapped_column(SmallInteger)
    """As of ResponseStep; -1: no time is told."""


class GoalSpanAuthor(_Span, _Levels, _Done, _Author, Base):
    """The same by what had been sent to people last."""

    __tablename__ = "goal_span_author"
    __table_args__ = (
        PrimaryKeyConstraint(
            *("generation", "goal_id", "part", "behaviour_id", "number_id", *_SPAN),
            *("author_kind", "author_id", "author_step"),
        ),
    )


class GoalSpanTime(_Span, _Levels, Base):
    """Completions by how long they took, to three digits: read of the step in which the middle one lies."""

    __tablename__ = "goal_span_time"
    __table_args__ = (PrimaryKeyConstraint("generation", "goal_id", "number_id", "step", *_SPAN, "seconds"),)

    step: Mapped[int] = mapped_column(SmallInteger)
    seconds: Mapped[int]


class GoalSpanDelta(_Span, _Done, _Author, Base):
    """What one statement changed in these three, until it is folded."""

    __tablename__ = "goal_span_delta"

    id: Mapped[int] = mapped_column(primary_key=True)
    seconds: Mapped[int | None]
    """How long a completion took; empty where that is not told."""
