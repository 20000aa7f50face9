"""Keys for machines. A key is shown once and its SHA-256 kept: with 256 random bits there is nothing to stretch."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.models.team import ApiToken
from bot.models.words import Environment

USE_NOTED_EVERY = timedelta(minutes=1)
PREFIX = "bc_"


class TokenError(ValueError):
    """A token cannot be made or found; the text says why and what would be right."""


def create(session: Session, environment: str, name: str) -> tuple[ApiToken, str]:
    """A token and its secret (`bc_live_…`, `bc_test_…`), which cannot be had again later."""
    if environment not in set(Environment):
        raise TokenError(f"There is no environment {environment!r}: choose live or test.")
    if not name.strip():
        raise TokenError("The token has no name: name it after the system that will use it.")
    secret = f"{PREFIX}{environment}_{secrets.token_urlsafe(32)}"
    token = session.scalar(
        insert(ApiToken)
        .values(environment=environment, name=name.strip(), secret_hash=_hash(secret))
        .on_conflict_do_nothing(index_elements=["environment", "name"])
        .returning(ApiToken)
    )
    if token is None:
        raise TokenError(f"There is already a token {name.strip()} in {environment}: choose another name.")
    return token, secret


def find(session: Session, secret: str) -> ApiToken | None:
    """The token with this secret unless it was revoked; notes its use at most once a minute, to spare the row."""
    token = session.scalar(select(ApiToken).where(ApiToken.secret_hash == _hash(secret), ApiToken.revoked_at.is_(None)))
    if token is not None:
        _note_use(session, token)
    return token


def revoke(session: Session, environment: str, name: str) -> ApiToken:
    """Ends it at once and for good; a second time changes nothing."""
    token = session.scalar(select(ApiToken).where(ApiToken.environment == environment, ApiToken.name == name))
    if token is None:
        raise TokenError(f"There is no token {name!r} in {environment}: `backchat token list` shows all.")
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


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
