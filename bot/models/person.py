from datetime import datetime
from typing import Any

from sqlalchemy import Computed, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db import LEADS_TO, Base
from bot.models.searching import COUNTRY, NAME, WORDS
from bot.models.words import AddressKind, Environment, PropertyType, one_of


class Person(Base):
    """Somebody on WhatsApp. `distinct_id` is theirs alone within an environment; every address is optional."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("environment", "distinct_id"),
        UniqueConstraint("id", "environment"),
        Index(None, "import_id", postgresql_where=text("import_id IS NOT NULL")),
        Index(None, "search", postgresql_using="gin"),
        Index("ix_person_name", "environment", text(NAME), "id"),
        Index("ix_person_country", "environment", text(COUNTRY), "id"),
        Index(None, "environment", "created_at", "id"),
        Index(None, "environment", "updated_at", "id"),
        Index("ix_person_disabled", "environment", "created_at", "id", postgresql_where=text("NOT enabled")),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    distinct_id: Mapped[str]
    distinct_id_given: Mapped[bool] = mapped_column(server_default=text("true"))
    """False while we made the id up ourselves for a stranger; an import may then name the person."""
    nickname: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    country: Mapped[str | None]
    time_zone: Mapped[str | None]
    language: Mapped[str | None]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    """The one switch for everything: False, and no message of whatever author goes out."""
    erased_at: Mapped[datetime | None]
    """Since then the row is nobody: it holds only that its messages and conversations are one person's."""
    answers_only: Mapped[bool] = mapped_column(server_default=text("false"))
    """Was erased and has written again: is answered, and gets nothing else until they opt in; docs/erasure.md."""
    marketing_opted_out_at: Mapped[datetime | None]
    import_id: Mapped[int | None] = mapped_column(info={LEADS_TO: "import_run"})
    """The import that made them and that its undo may take them away with: not once they are one with somebody."""
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    search: Mapped[str | None] = mapped_column(TSVECTOR, Computed(WORDS, persisted=True), deferred=True)
    """The words of all of it, for the search field; addresses are looked up where they are."""

    addresses: Mapped[list["Address"]] = relationship(back_populates="person")


class Address(Base):
    """One way to reach a person. `value` is the canonical form that is matched; `dial` is what a provider gave us."""

    __tablename__ = "address"
    __table_args__ = (
        UniqueConstraint("environment", "kind", "value"),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
        Index("ix_address_beginning", "environment", "value", postgresql_ops={"value": "text_pattern_ops"}),
        one_of("kind", AddressKind),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    person_id: Mapped[int]
    kind: Mapped[str]
    value: Mapped[str]
    dial: Mapped[str | None]
    moved_at: Mapped[datetime | None]
    """Event time of the newest move to it: of several, the last one moved to is the one in use."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    person: Mapped[Person] = relationship(back_populates="addresses")


class ConsentEvent(Base):
    """What a person said they want, as told, once; the latest by time is in force."""

    __tablename__ = "consent_event"
    __table_args__ = (
        ForeignKeyConstraint(["token_id", "environment"], ["api_token.id", "api_token.environment"]),
        UniqueConstraint("person_id", "category", "occurred_at", "value", "source"),
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    person_id: Mapped[int]
    category: Mapped[str]
    """marketing, …"""
    value: Mapped[str]
    """stop or resume; another word of the provider's is kept and changes nothing."""
    source: Mapped[str]
    """webhook (they told WhatsApp), error (a send was refused for it), word (they wrote one), coach, api, import."""
    detail: Mapped[str | None]
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    token_id: Mapped[int | None]
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PersonMerge(Base):
    """Two people turned out to be one: who stayed, and what the other was known by."""

    __tablename__ = "person_merge"
    __table_args__ = (
        ForeignKeyConstraint(["person_id", "environment"], ["person.id", "person.environment"], ondelete="CASCADE"),
        Index(None, "person_id"),
        Index(None, "gone_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    person_id: Mapped[int]
    gone_id: Mapped[int]
    gone_distinct_id: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Property(Base):
    """A custom attribute that people of an environment may have, and its one type."""

    __tablename__ = "property"
    __table_args__ = (
        UniqueConstraint("environment", "name"),
        one_of("environment", Environment),
        one_of("type", PropertyType),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    type: Mapped[str]
    created_by_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TableColumn(Base):
    """Whether a property has a column in the listing, where somebody has chosen; see bot/people/properties.py."""

    __tablename__ = "table_column"
    __table_args__ = (one_of("environment", Environment),)

    environment: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    is_shown: Mapped[bool]


class Erasure(Base):
    """A person was erased: when, by whom, and how much of what went; nothing that says who they were."""

    __tablename__ = "erasure"
    __table_args__ = (
        ForeignKeyConstraint(["token_id", "environment"], ["api_token.id", "api_token.environment"]),
        Index("ix_erasure_unfinished", "id", postgresql_where=text("finished_at IS NULL")),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, server_default=text("gen_random_uuid()::text"))
    """Its name in the ledger outside the database; see bot/people/ledger.py."""
    environment: Mapped[str]
    person_id: Mapped[int]
    """The row that stays, and is nobody's any more."""
    receipt: Mapped[dict[str, Any]]
    """{"messages": 12, "media": 3, …}: how many rows and files of each kind were emptied or deleted."""
    sealed_traces: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What to look for in bodies and files, encrypted; gone once the last place was looked at."""
    progress: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """How far each search has come, by its name, for a resume."""
    finished_at: Mapped[datetime | None]
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    token_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Suppression(Base):
    """Keyed hash of an address or a name of somebody erased: no list brings them back, nobody writes to them."""

    __tablename__ = "suppression"
    __table_args__ = (Index(None, "erasure_id"), one_of("environment", Environment))

    environment: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """HMAC-SHA256 of the kind and the canonical value, under a key of BACKCHAT_SECRET_KEY."""
    erasure_id: Mapped[int] = mapped_column(ForeignKey("erasure.id", ondelete="CASCADE"))
