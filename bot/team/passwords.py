"""Passwords as argon2id hashes, and what we accept as a password."""

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.language import _

LENGTH = range(12, 257)
"""Characters of a password a person may choose: long enough to resist guessing, short enough to hash at once."""

COST = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's recommendation for argon2id: 19 MiB and about 25 ms; a hash carries its own cost, so this may be raised."""

_AT_ONCE = threading.BoundedSemaphore(4)  # 64 web threads hashing at once would take more than a gigabyte


class PasswordError(Exception):
    """The password cannot be used; the text says what would do."""


def hash_password(password: str, cost: PasswordHasher = COST) -> str:
    with _AT_ONCE:
        return cost.hash(password)


def verify(password_hash: str | None, password: str) -> bool:
    """Whether the password fits. None (nobody has that e-mail) is refused after the same work, so time tells none."""
    with _AT_ONCE:
        try:
            matches = COST.verify(password_hash or _dummy(), password)
        except (VerificationError, InvalidHashError):
            return False
    return matches and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made at another cost than today's and is better made anew."""
    return COST.check_needs_rehash(password_hash)


def check(password: str) -> None:
    """Refuse what is too short or too long; no rules about digits and signs, which make passwords worse."""
    if len(password) not in LENGTH:
        raise PasswordError(
            _(
                "A password has %(start)s to %(stop)s characters; this one %(length)s.",
                start=LENGTH.start,
                stop=LENGTH.stop - 1,
                length=len(password),
            )
        )


def generate() -> str:
    """A random password of 120 bits, for somebody to read from a terminal once."""
    return secrets.token_urlsafe(15)


@cache
def _dummy() -> str:
    return COST.hash(secrets.token_urlsafe(15))
