"""Signed-in browsers, kept here and not in the cookie, so that ending the row ends the session everywhere."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, delete, select, update
from sqlalchemy.orm import Session

from bot import live
from bot.models.team import Operator, SignIn, TeamPolicy
from bot.team import rights
from bot.team.rights import Rights

LASTS = timedelta(hours=12)
"""A working day, after which everybody signs in again."""
IDLE = timedelta(hours=2)
"""A coach between two conversations stays signed in, a browser left alone does not; a page refreshing itself counts
as left alone."""
CODE_WITHIN = timedelta(minutes=10)
"""How long after the password the code of the second factor may come."""
_KEPT = timedelta(days=30)
_VOUCHED = "sso."
"""How a secret begins whose sign-in the identity provider answered for: as only its hash is kept, nobody can add it."""
_NOTICE = timedelta(minutes=1)  # so that not every page view is a write


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts at most, and without a click."""

    lasts: timedelta = LASTS
    idle: timedelta = IDLE


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody signs in from: what their browser calls itself, and its address."""

    browser: str
    address: str


USUAL = Limits()
NOWHERE = Place("", "")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in on this request."""

    id: int
    """The operator's id."""
    sign_in_id: int
    name: str
    email: str
    role: Rights
    vouched: bool
    """The identity provider answered for them."""
    lacks_factor: bool
    """The team asks for a second factor and they have none yet: nothing opens before they have."""
    language: str | None
    """The one they chose for pages, if any."""


def begin(
    session: Session,
    operator_id: int,
    now: datetime | None = None,
    *,
    place: Place = NOWHERE,
    awaits_factor: bool = False,
    vouched: bool = False,
) -> str:
    """Sign the operator in; returns the secret for the cookie, of which only the SHA-256 is kept.

    With `awaits_factor` the secret opens nothing, and may be exchanged for another one by `find_half`'s operator.
    `vouched`: by the identity provider, whose own second factor stands for ours.
    """
    secret = (_VOUCHED if vouched else "") + secrets.token_urlsafe(32)
    at = now or datetime.now(UTC)
    session.execute(delete(SignIn).where(SignIn.operator_id == operator_id, SignIn.created_at < at - _KEPT))
    session.add(
        SignIn(
            secret_hash=_hash(secret),
            operator_id=operator_id,
            created_at=at,
            seen_at=at,
            awaits_factor=awaits_factor,
            browser=place.browser[:300],
            address=place.address,
        )
    )
    session.flush()  # a following find() in the same transaction must see it
    return secret


def find(
    session: Session, secret: str, now: datetime | None = None, *, by_hand: bool = True, limits: Limits = USUAL
) -> SignedIn | None:
    """Who the secret belongs to, if neither ended, expired nor deactivated; `by_hand` keeps the session from idling."""
    at = now or datetime.now(UTC)
    asked = {"hash": _hash(secret), "begun_after": at - limits.lasts, "seen_after": at - limits.idle}
    found = session.execute(_holder(), asked).one_or_none()
    if found is None:
        return None
    sign_in_id, seen_at, operator, requires = found
    if by_hand and seen_at < at - _NOTICE:
        session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=at))
    vouched = secret.startswith(_VOUCHED)
    lacks = bool(requires) and operator.sealed_factor is None and not vouched
    who = operator.id, sign_in_id, operator.name, operator.email
    return SignedIn(*who, rights.of(operator), vouched, lacks, operator.language)


@cache
def _holder() -> Select[int, datetime, Operator, bool | None]:
    """Made once, as every request asks it."""
    return (
        select(SignIn.id, SignIn.seen_at, Operator, select(TeamPolicy.requires_factor).scalar_subquery())
        .join(SignIn.operator)
        .where(
            SignIn.secret_hash == bindparam("hash"),
            *_lasting(bindparam("begun_after"), bindparam("seen_after")),
            Operator.active,
        )
    )


def find_half(session: Session, secret: str, now: datetime | None = None) -> Operator | None:
    """Who gave the right password with this secret and still has to give a code."""
    at = now or datetime.now(UTC)
    return session.scalar(
        select(Operator)
        .join(SignIn, SignIn.operator_id == Operator.id)
        .where(SignIn.secret_hash == _hash(secret), SignIn.awaits_factor, SignIn.ended_at.is_(None))
        .where(SignIn.created_at > at - CODE_WITHIN, Operator.active)
    )


def of_operator(session: Session, operator_id: int, limits: Limits = USUAL) -> Sequence[SignIn]:
    """The browsers in which somebody is signed in now, the last seen first."""
    now = datetime.now(UTC)
    lasting = _lasting(now - limits.lasts, now - limits.idle)
    mine = select(SignIn).where(SignIn.operator_id == operator_id, *lasting)
    return session.scalars(mine.order_by(SignIn.seen_at.desc(), SignIn.id.desc())).all()


def end_one(session: Session, operator_id: int, sign_in_id: int) -> bool:
    """Whether it was theirs, and open."""
    mine = (SignIn.id == sign_in_id, SignIn.operator_id == operator_id, SignIn.ended_at.is_(None))
    ended = update(SignIn).where(*mine).values(ended_at=datetime.now(UTC)).returning(SignIn.id)
    live.tell(session, live.operator(operator_id))
    return session.scalar(ended) is not None


def end(session: Session, secret: str) -> None:
    ended = (
        update(SignIn)
        .where(SignIn.secret_hash == _hash(secret), SignIn.ended_at.is_(None))
        .values(ended_at=datetime.now(UTC))
    )
    for operator_id in session.scalars(ended.returning(SignIn.operator_id)):
        live.tell(session, live.operator(operator_id))


def end_all(session: Session, operator_id: int, but: int | None = None) -> None:
    """Every session of somebody, apart from the one with the id `but`."""
    live.tell(session, live.operator(operator_id))
    session.execute(
        update(SignIn)
        .where(SignIn.operator_id == operator_id, SignIn.ended_at.is_(None), SignIn.id != (but or 0))
        .values(ended_at=datetime.now(UTC))
    )


def _lasting(
    begun_after: datetime | BindParameter[Any], seen_after: datetime | BindParameter[Any]
) -> tuple[ColumnElement[bool], ...]:
    return (
        SignIn.ended_at.is_(None),
        ~SignIn.awaits_factor,
        SignIn.created_at > begun_after,
        SignIn.seen_at > seen_after,
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
