"""How a request proves that the provider sent it: signed with a secret of the account, or carrying one we planted.

Each check raises BadSignatureError. What is given is compared whole, so whatever is odd about it (letters that are not
ASCII, another length, two headers joined by a comma) is simply not equal.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping

from bot.providers.base import Account, BadSignatureError, Call

PLANTED_HEADER = "X-Backchat-Secret"


class Planted:
    """Of a provider that neither signs nor shakes hands: each webhook carries the `webhook_secret` that we chose."""

    chosen_secrets: tuple[str, ...] = ("webhook_secret",)

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:  # noqa: ARG002 (it has no handshake)
        return None

    def verify(self, account: Account, call: Call) -> None:
        check_planted(account, call, "webhook_secret")

    def prove(self, account: Account, call: Call) -> dict[str, str]:  # noqa: ARG002 (it signs nothing)
        return prove_planted(account, "webhook_secret")


def check_hmac_hex(account: Account, call: Call, secret_name: str, header: str, prefix: str = "") -> None:
    """`header` is `prefix` and the HMAC-SHA256 of the raw body in lower-case hex."""
    given = call.headers.get(header, "")
    _check([given], [prefix + digest.hex() for digest in _digests(account, call, secret_name)])


def check_hmac_base64(account: Account, call: Call, secret_name: str, header: str) -> None:
    """`header` is the HMAC-SHA256 of the raw body in base64."""
    given = call.headers.get(header, "")
    _check([given], [base64.b64encode(digest).decode() for digest in _digests(account, call, secret_name)])


def prove_hmac_hex(account: Account, call: Call, secret_name: str, header: str, prefix: str = "") -> dict[str, str]:
    """The headers that `check_hmac_hex` asks for."""
    return {header: prefix + _digests(account, call, secret_name)[0].hex()}


def prove_hmac_base64(account: Account, call: Call, secret_name: str, header: str) -> dict[str, str]:
    """The headers that `check_hmac_base64` asks for."""
    return {header: base64.b64encode(_digests(account, call, secret_name)[0]).decode()}


def prove_planted(account: Account, secret_name: str) -> dict[str, str]:
    """The headers that `check_planted` asks for, or one way of them."""
    return {PLANTED_HEADER: account.secrets[secret_name]}


def check_planted(account: Account, call: Call, secret_name: str) -> None:
    """For a provider that does not sign: the secret is in a header, a Basic login or the address that we gave it."""
    _check(_planted(call), account.accepted(secret_name))


def _planted(call: Call) -> Iterator[str]:
    yield call.headers.get(PLANTED_HEADER, "")
    yield call.path_secret or ""
    scheme, _, login = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(login.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            return
        _user, colon, password = pair.partition(":")
        if colon:
            yield password
            yield pair


def _digests(account: Account, call: Call, secret_name: str) -> list[bytes]:
    return [hmac.digest(secret.encode(), call.body, hashlib.sha256) for secret in account.accepted(secret_name)]


def _check(given: Iterator[str] | list[str], expected: list[str] | tuple[str, ...]) -> None:
    for candidate in filter(None, given):
        for proof in expected:
            if hmac.compare_digest(candidate.encode("utf-8", "surrogatepass"), proof.encode()):
                return
    raise BadSignatureError
