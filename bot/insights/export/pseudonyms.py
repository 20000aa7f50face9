"""Who is who, without saying who: the keyed hash that stands for a person's id outside."""

import hashlib
import hmac
from typing import Final

from bot.settings import Settings

_LABEL: Final = b"backchat raw data pseudonyms"
_BYTES = 16


class Pseudonyms:
    """The same person has the same pseudonym in every table and every export, until BACKCHAT_SECRET_KEY changes."""

    def __init__(self, settings: Settings) -> None:
        self._key = hmac.digest(settings.secret_key.encode(), _LABEL, hashlib.sha256)

    @property
    def fingerprint(self) -> str:
        """Tells exports under different keys apart; says nothing of the key."""
        return hmac.digest(self._key, b"fingerprint", hashlib.sha256).hex()[:_BYTES]

    def of(self, person_id: str) -> str:
        return hmac.digest(self._key, person_id.encode(), hashlib.sha256)[:_BYTES].hex()
