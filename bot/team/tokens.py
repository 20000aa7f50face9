"""Keys for machines. A key is shown once and its SHA-256 kept: with 256 random bits there is nothing to stretch."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.language import _
from bot.models.team import ApiToken
from bot.models.words import Environment
from bot.team import permissions, rights
from bot.team.rights import Permission

LONGEST_OVERLAP = timedelta(days=30)
USE_NOTED_EVERY = timedelta(minutes=1)
PREFIX = "bc_"


class TokenError(ValueError):
    """A token cannot be made or found; the text says why and what would be right."""


def create(
    session: Session,
    environment: str,
    name: str,
    *,
    scopes: Iterable[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A token and its secret (`bc_live_…`, `bc_test_…`), which cannot be had again later; no `scopes` means all."""
    if environment not in set(Environment):
        raise TokenError(
            _("There is no environment %(environment)s: choose live or test.", environment=repr(environment))
        )
    if not name.strip():
        raise TokenError(_("The token has no name: name it after the system that will use it."))
    chosen = None if scopes is None else readable(scopes)
    _refuse_past(expires_at)
    secret = _new_secret(environment)
    token = session.scalar(
        insert(ApiToken)
        .values(
            environment=environment,
            name=name.strip(),
            secret_hash=_hash(secret),
            scopes=chosen,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing(index_elements=["environment", "name"])
        .returning(ApiToken)
    )
    if token is None:
        raise TokenError(
            _(
                "There is already a token %(name)s in %(environment)s: choose another name.",
                name=name.strip(),
                environment=environment,
            )
        )
    return token, secret


def find(session: Session, secret: str) -> ApiToken | None:
    """The token with this secret, the present one or one just rotated, unless it was revoked or has expired.

    Notes its use at most once a minute, to spare the row.
    """
    hashed = _hash(secret)
    former = and_(ApiToken.former_hash == hashed, ApiToken.former_until > func.now())
    token = session.scalar(
        select(ApiToken)
        .where(or_(ApiToken.secret_hash == hashed, former), ApiToken.revoked_at.is_(None))
        .where(or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > func.now()))
    )
    if token is not None:
        _note_use(session, token)
    return token


def allows(token: ApiToken, permission: Permission) -> bool:
    return token.scopes is None or permission in rights.known(token.scopes)


def rotate(session: Session, token_id: int, overlap: timedelta) -> tuple[ApiToken, str]:
    """A new secret; the one before is taken for `overlap` longer, any older one no more."""
    token = by_id(session, token_id)
    if token.revoked_at is not None:
        raise TokenError(_("%(name)s was revoked: make a new token.", name=token.name))
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise TokenError(_("The old secret can go on for 0 to %(days)s days.", days=LONGEST_OVERLAP.days))
    secret = _new_secret(token.environment)
    token.former_hash, token.former_until = token.secret_hash, datetime.now(UTC) + overlap
    token.secret_hash = _hash(secret)
    session.flush()
    return token, secret


def change(session: Session, token_id: int, scopes: Iterable[str] | None, expires_at: datetime | None) -> ApiToken:
    """Takes hold at the next request; `scopes` None means all."""
    kept = by_id(session, token_id)
    if expires_at != kept.expires_at:
        _refuse_past(expires_at)
    kept.scopes = None if scopes is None else readable(scopes)
    kept.expires_at = expires_at
    session.flush()
    return kept


def by_id(session: Session, token_id: int) -> ApiToken:
    token = session.get(ApiToken, token_id, with_for_update=True)
    if token is None:
        raise TokenError(_("There is no token %(token_id)s.", token_id=token_id))
    return token


def by_name(session: Session, environment: str, name: str) -> ApiToken:
    token = session.scalar(select(ApiToken).where(ApiToken.environment == environment, ApiToken.name == name))
    if token is None:
        raise TokenError(
            _(
                "There is no token %(name)s in %(environment)s: `backchat token list` shows all.",
                name=repr(name),
                environment=environment,
            )
        )
    return token


def every(session: Session) -> Sequence[ApiToken]:
    newest_last = ApiToken.revoked_at.is_not(None), ApiToken.environment, ApiToken.name
    return session.scalars(select(ApiToken).order_by(*newest_last)).all()


def readable(scopes: Iterable[str]) -> list[str]:
    """In the order of the table; TokenError for a word that is no permission of the API, or for none at all."""
    asked = set(scopes)
    if unknown := asked - set(permissions.SCOPES):
        raise TokenError(
            _(
                "There is no scope %(unknown)s: use %(scopes)s.",
                unknown=repr(min(unknown)[:40]),
                scopes=", ".join(permissions.SCOPES),
            )
        )
    if not asked:
        raise TokenError(_("The token would be allowed nothing: name at least one scope."))
    return [scope.value for scope in permissions.SCOPES if scope in asked]


def revoke(session: Session, environment: str, name: str) -> ApiToken:
    """Ends it at once and for good; a second time changes nothing."""
    token = by_name(session, environment, name)
    session.execute(
        update(ApiToken)
        .where(ApiToken.id == token.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .execution_options(synchronize_session=False)
    )
    session.refresh(token)
    return token


def _note_use(session: Session, token: ApiToken) -> None:
    stale = func.now() - USE_NOTED_EVERY
    newest = session.scalar(
        select(ApiToken.id)
        .where(ApiToken.id == token.id, or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < stale))
        # Fifty requests at once: one notes it, the others do not queue up behind it.
        .with_for_update(skip_locked=True, key_share=True)
    )
    if newest is not None:
        session.execute(
            update(ApiToken)
            .where(ApiToken.id == newest)
            .values(last_used_at=func.now())
            .execution_options(synchronize_session=False)
        )


def _refuse_past(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise TokenError(_("The token would have expired already: choose a day to come."))


def _new_secret(environment: str) -> str:
    return f"{PREFIX}{environment}_{secrets.token_urlsafe(32)}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
