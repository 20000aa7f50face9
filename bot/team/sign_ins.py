"""Signed-in browsers, kept here and not in the cookie, so that ending the row ends the session everywhere."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot.models.team import Operator, SignIn
from bot.team import rights
from bot.team.rights import Rights

LASTS = timedelta(hours=12)
"""A working day, after which everybody signs in again."""
IDLE = timedelta(hours=2)
"""A coach between two conversations stays signed in, a browser left alone does not; a page refreshing itself counts
as left alone."""
_KEPT = timedelta(days=30)
_NOTICE = timedelta(minutes=1)  # so that not every page view is a write


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in on this request."""

    id: int
    """The operator's id."""
    sign_in_id: int
    name: str
    email: str
    role: Rights


def begin(session: Session, operator_id: int, now: datetime | None = None) -> str:
    """Sign the operator in; returns the secret for the cookie, of which only the SHA-256 is kept."""
    secret = secrets.token_urlsafe(32)
    at = now or datetime.now(UTC)
    session.execute(delete(SignIn).where(SignIn.operator_id == operator_id, SignIn.created_at < at - _KEPT))
    session.add(SignIn(secret_hash=_hash(secret), operator_id=operator_id, created_at=at, seen_at=at))
    session.flush()  # a following find() in the same transaction must see it
    return secret


def find(session: Session, secret: str, now: datetime | None = None, *, by_hand: bool = True) -> SignedIn | None:
    """Who the secret belongs to, if neither ended, expired nor deactivated; `by_hand` keeps the session from idling."""
    at = now or datetime.now(UTC)
    found = session.execute(
        select(SignIn.id, SignIn.seen_at, Operator)
        .join(SignIn.operator)
        .where(
            SignIn.secret_hash == _hash(secret),
            SignIn.ended_at.is_(None),
            SignIn.created_at > at - LASTS,
            SignIn.seen_at > at - IDLE,
            Operator.active,
        )
    ).one_or_none()
    if found is None:
        return None
    sign_in_id, seen_at, operator = found
    if by_hand and seen_at < at - _NOTICE:
        session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=at))
    return SignedIn(operator.id, sign_in_id, operator.name, operator.email, rights.of(operator))


def end(session: Session, secret: str) -> None:
    session.execute(
        update(SignIn)
        .where(SignIn.secret_hash == _hash(secret), SignIn.ended_at.is_(None))
        .values(ended_at=datetime.now(UTC))
    )


def end_all(session: Session, operator_id: int) -> None:
    session.execute(
        update(SignIn)
        .where(SignIn.operator_id == operator_id, SignIn.ended_at.is_(None))
        .values(ended_at=datetime.now(UTC))
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
