from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.db import Base
from bot.models.words import Environment, Role, one_of

_ROLE_OR_SET = "(role IS NULL) <> (permission_set_id IS NULL)"


class PermissionSet(Base):
    """What a team lets some of its members do, where no role that is built in fits."""

    __tablename__ = "permission_set"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Operator(Base):
    """A team member who signs in; the password is kept as an argon2 hash only."""

    __tablename__ = "operator"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint(_ROLE_OR_SET, name="role_or_set"),
        CheckConstraint("(oidc_issuer IS NULL) = (oidc_subject IS NULL)", name="oidc_whole"),
        UniqueConstraint("oidc_issuer", "oidc_subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str | None]
    """One that is built in, or none where there is a set of the team's own."""
    permission_set_id: Mapped[int | None] = mapped_column(ForeignKey("permission_set.id"))
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    sealed_factor: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The secret that codes are made of, encrypted; None without a second factor."""
    factor_step: Mapped[int | None]
    """The half minute of the last code that was taken, so that none is taken twice."""
    language: Mapped[str | None]
    """The code of the language they chose for pages; None for what their browser asks for."""
    phone: Mapped[str | None]
    """Their own, E.164: where they have tests of broadcasts sent to."""
    oidc_issuer: Mapped[str | None]
    oidc_subject: Mapped[str | None]
    """Who they are at that identity provider, from their first sign-in by it on."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    permission_set: Mapped[PermissionSet | None] = relationship(lazy="joined")


class RecoveryCode(Base):
    """Signs in once in place of a code of the second factor; only its SHA-256 is kept."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("operator_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    used_at: Mapped[datetime | None]


class TeamPolicy(Base):
    """What the team asks of everybody on it: one row, or none while everything is as it was at the start."""

    __tablename__ = "team_policy"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    requires_factor: Mapped[bool] = mapped_column(server_default=text("false"))
    refuses_passwords: Mapped[bool] = mapped_column(server_default=text("false"))
    """Everybody signs in by the identity provider; without one configured it means nothing."""


class Invitation(Base):
    """A link by which somebody joins the team once; only the SHA-256 of its secret is kept."""

    __tablename__ = "invitation"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint(_ROLE_OR_SET, name="role_or_set"),
        Index(
            "uq_invitation_open_email",
            "email",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str]
    role: Mapped[str | None]
    permission_set_id: Mapped[int | None] = mapped_column(ForeignKey("permission_set.id"))
    invited_by_operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    permission_set: Mapped[PermissionSet | None] = relationship(lazy="joined")


class PasswordReset(Base):
    """A link by which a team member chooses a new password once; only the SHA-256 of its secret is kept."""

    __tablename__ = "password_reset"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    """When it was used, or made way for a newer one."""


class SignIn(Base):
    """A signed-in browser. The cookie carries a secret, this row its hash, so ending the row ends the session."""

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]
    awaits_factor: Mapped[bool] = mapped_column(server_default=text("false"))
    """The password was right; without a code of the second factor it opens nothing."""
    browser: Mapped[str] = mapped_column(server_default="")
    """As it calls itself, cut short."""
    address: Mapped[str] = mapped_column(server_default="")

    operator: Mapped[Operator] = relationship()


class ApiToken(Base):
    """A machine's key to one environment; only its SHA-256 is kept, so it can be shown once and never again."""

    __tablename__ = "api_token"
    __table_args__ = (
        UniqueConstraint("environment", "name"),
        UniqueConstraint("id", "environment"),
        one_of("environment", Environment),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str]
    name: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    former_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    """Of the secret before the last rotation, which is taken until `former_until`."""
    former_until: Mapped[datetime | None]
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """Permissions by name; None for all, those of tomorrow too, as tokens had before there were scopes."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiRequest(Base):
    """An Idempotency-Key that was used: the same key gives the same answer, with another body a refusal."""

    __tablename__ = "api_request"

    token_id: Mapped[int] = mapped_column(ForeignKey("api_token.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"))
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id", ondelete="CASCADE"))
    template_id: Mapped[int | None] = mapped_column(ForeignKey("template.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AuditEntry(Base):
    """Who did what, to what, from where; a trigger keeps it from being changed or taken away.

    Of people it holds ids and never a name, an address or a text, so that erasing somebody has nothing to do here.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "operator_id", "id"), Index(None, "subject", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    token_id: Mapped[int | None] = mapped_column(ForeignKey("api_token.id"))
    """Neither: the command line."""
    address: Mapped[str | None]
    action: Mapped[str]
    subject: Mapped[str]
    """A kind and an id: `operator 7`, `person 12`, `broadcast 3`."""
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
