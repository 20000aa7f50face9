"""What a person is known by: the addresses a sender shows, and the locks that keep two from being made of one."""

import hashlib
from collections.abc import Iterable, Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.models.words import AddressKind
from bot.providers.events import Sender

_LOCK_BUCKETS = 2048
"""Locks of a transaction are bounded by this, since PostgreSQL's lock table is; a shared bucket only costs waiting."""

Key = tuple[str, str]
"""(address kind, value)"""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('backchat.person'), k) FROM unnest(CAST(:keys AS int[])) AS k")


def lock(session: Session, senders: Iterable[tuple[str, Sender]]) -> None:
    """Hold everybody of (environment, sender) until the transaction ends, so that nobody is made twice.

    Call it once, before any row is locked: a second call with other people could wait for somebody who waits for us.
    """
    buckets = {_bucket(environment, key) for environment, sender in senders for key in _to_lock(sender)}
    if buckets:
        session.execute(_LOCK, {"keys": sorted(buckets)})


def shown_by(sender: Sender) -> Iterator[Key]:
    """The addresses a sender shows, the strongest first."""
    if sender.phone:
        yield AddressKind.PHONE.value, phones.canonical(sender.phone)
    if sender.user_id:
        yield AddressKind.USER_ID.value, sender.user_id


def to_try(sender: Sender) -> Iterator[Key]:
    for kind, value in shown_by(sender):
        yield kind, value
        if kind == AddressKind.PHONE and (sibling := phones.sibling(value)):
            yield kind, sibling


def _to_lock(sender: Sender) -> Iterator[Key]:
    for kind, value in shown_by(sender):
        yield kind, min(value, phones.sibling(value) or value) if kind == AddressKind.PHONE else value


def _bucket(environment: str, key: Key) -> int:
    digest = hashlib.blake2b("\x00".join((environment, *key)).encode(), digest_size=4).digest()
    return int.from_bytes(digest) % _LOCK_BUCKETS


def parent_of(sender: Sender) -> Iterator[Key]:
    """Kept with the person and never matched: a parent id is shared by the businesses of a whole portfolio."""
    if sender.parent_user_id:
        yield AddressKind.PARENT_USER_ID.value, sender.parent_user_id
