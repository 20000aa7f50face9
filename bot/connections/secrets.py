"""How a connection's secrets are kept: encrypted with a key that the database does not hold."""

import base64
import functools
from collections.abc import Mapping

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


@functools.lru_cache(maxsize=4)
def _fernet(secret_key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
