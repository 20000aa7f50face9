"""Who was erased is not brought back by a list, nor written to first: kept as keyed hashes, which say who nobody was.

The key is derived from BACKCHAT_SECRET_KEY, so that the database alone cannot be tried out against all phone numbers.
Where that key was changed, BACKCHAT_FORMER_SECRET_KEYS keeps the hashes made before it good; docs/erasure.md.
"""

import functools
import hmac
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import phone as phones
from bot import runtime
from bot.models.words import AddressKind
from bot.people import ledger

log = structlog.get_logger()

Key = tuple[str, str]
"""(kind of address or DISTINCT_ID, value)"""

DISTINCT_ID: Final = "distinct_id"
REASON: Final = "this person was erased at their own wish: nobody brings them back but they themselves, by writing"

PURPOSE = b"backchat: who was erased, 1"
"""Keeps this key apart from every other one derived from the same BACKCHAT_SECRET_KEY."""

_IS_ANY = text("SELECT EXISTS (SELECT FROM suppression WHERE environment = :environment)")
_FIND = text("""
    SELECT s.digest, e.at FROM suppression s JOIN erasure e ON e.id = s.erasure_id
     WHERE s.environment = :environment AND s.digest = ANY(CAST(:digests AS bytea[]))
""")
_KEEP = text("""
    INSERT INTO suppression (environment, digest, erasure_id)
    SELECT :environment, digest, :erasure_id FROM unnest(CAST(:digests AS bytea[])) AS digest
    ON CONFLICT DO NOTHING
""")
_LIFT = text("""
    DELETE FROM suppression WHERE environment = :environment AND digest = ANY(CAST(:digests AS bytea[]))
    RETURNING digest
""")


def are_there(session: Session, environment: str) -> bool:
    """Whether anybody of the environment was ever erased."""
    return bool(session.scalar(_IS_ANY, {"environment": environment}))


def suppressed(session: Session, environment: str, keys: Iterable[Key]) -> set[Key]:
    """Those of the keys that belong to somebody erased; any spelling of a phone number will do."""
    return set(since(session, environment, keys))


def since(session: Session, environment: str, keys: Iterable[Key]) -> dict[Key, datetime]:
    """Of each of the keys that is suppressed, when they were erased last.

    The process's own secret is asked for, which a rule has no other way to know.
    """
    asked = set(keys)
    if not asked or not are_there(session, environment):
        return {}
    by_digest: defaultdict[bytes, set[Key]] = defaultdict(set)
    for secret_key in secret_keys():
        for key in asked:
            by_digest[_digest(secret_key, environment, *key)].add(key)
    rows = session.execute(_FIND, {"environment": environment, "digests": list(by_digest)}).all()
    return {key: at for digest, at in sorted(rows, key=lambda row: row.at) for key in by_digest[digest]}


def digests(secret_key: str, environment: str, keys: Iterable[Key]) -> list[bytes]:
    """HMAC-SHA256 of each key in its canonical form, sorted; a phone number with two of them has two."""
    twins = {twin for kind, value in keys for twin in _with_sibling(kind, value)}
    return sorted({_digest(secret_key, environment, *twin) for twin in twins})


def keep(session: Session, environment: str, erasure_id: int, found: Sequence[bytes]) -> None:
    """From now on these are suppressed."""
    if found:
        session.execute(_KEEP, {"environment": environment, "erasure_id": erasure_id, "digests": list(found)})


def lift(session: Session, environment: str, keys: Iterable[Key]) -> None:
    """They opted in themselves, which the ledger remembers too."""
    wanted = set(keys)
    found = [digest for secret_key in secret_keys() for digest in digests(secret_key, environment, wanted)]
    gone = session.scalars(_LIFT, {"environment": environment, "digests": found}).all()
    if not gone:
        return
    line = ledger.Line("", environment, 0, tuple(gone), datetime.now(UTC))
    try:
        ledger.write(runtime.current().settings.erasure_ledger, line)
    except ledger.LedgerError as error:  # a backup would suppress them again, which costs them less than no answer
        log.error("ledger.not_written", problem=str(error))  # noqa: TRY400 (the sentence says it all)


def secret_keys() -> tuple[str, ...]:
    """The present key, then the former ones."""
    told = runtime.current().settings
    return (told.secret_key, *told.former_secret_keys)


def _digest(secret_key: str, environment: str, kind: str, value: str) -> bytes:
    canonical = _CANONICAL.get(kind, str)(value)
    return hmac.digest(_key(secret_key), f"{environment}\x00{kind}\x00{canonical}".encode(), "sha256")


def _with_sibling(kind: str, value: str) -> list[Key]:
    sibling = phones.sibling(phones.canonical(value)) if kind == AddressKind.PHONE else None
    return [(kind, value)] if sibling is None else [(kind, value), (kind, sibling)]


def _canonical_email(value: str) -> str:
    return value.strip().casefold()


_CANONICAL: Mapping[str, Callable[[str], str]] = {
    AddressKind.PHONE: phones.canonical,
    AddressKind.EMAIL: _canonical_email,
}


@functools.lru_cache(maxsize=8)
def _key(secret_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret_key.encode())
