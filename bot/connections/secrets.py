"""How a connection's secrets are kept: encrypted with a key that the database does not hold."""

import base64
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE = b"backchat: secrets of connections, 1"
"""Keeps this key apart from every other one derived from the same BACKCHAT_SECRET_KEY."""


class SealError(Exception):
    """What is stored was not sealed with this secret key, or was changed since."""


def seal(secret_key: str, values: Mapping[str, str]) -> bytes:
    """Encrypt and sign; the same values give other bytes each time."""
    return _fernet(secret_key).encrypt(orjson.dumps(dict(values)))


def open_sealed(secret_key: str, sealed: bytes) -> dict[str, str]:
    """The values as sealed; raises SealError with the remedy."""
    try:
        opened = _fernet(secret_key).decrypt(sealed)
    except InvalidToken:
        raise SealError(
            "The secrets of this connection were sealed with another key: "
            "set BACKCHAT_SECRET_KEY (or the file secret-key in BACKCHAT_HOME) to the one they were added with."
        ) from None
    return dict(orjson.loads(opened))


@dataclass(frozen=True, slots=True)
class Former:
    """A secret that was replaced, and how long it is still accepted."""

    value: str = field(repr=False)
    until: datetime


def seal_former(secret_key: str, former: Mapping[str, Former]) -> bytes | None:
    """By the secret's name; None for none at all."""
    if not former:
        return None
    return seal(secret_key, {name: f"{one.until.isoformat()} {one.value}" for name, one in former.items()})


def open_former(secret_key: str, sealed: bytes | None, now: datetime) -> dict[str, Former]:
    """Those that are still accepted at `now`; raises SealError."""
    found = {}
    for name, kept in open_sealed(secret_key, sealed).items() if sealed else ():
        until, _, value = kept.partition(" ")
        found[name] = Former(value, datetime.fromisoformat(until))
    return {name: one for name, one in found.items() if one.until > now}


@functools.lru_cache(maxsize=4)
def _fernet(secret_key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
