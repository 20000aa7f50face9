"""How a provider that does not sign proves itself, and what proves nothing."""

import base64
import hashlib
import hmac
from collections.abc import Callable

import pytest

from bot.providers import authenticity
from bot.providers.base import Account, BadSignatureError, Call
from webhooks import cases

ACCOUNT = Account("https://api.example", "7", {"webhook_secret": "planted-4821"}, {"webhook_secret": "before-1764"})
PAIR = Account("https://api.example", "7", {"webhook_secret": "hook:planted-4821"})


def called(headers: dict[str, str], path_secret: str | None = None, body: bytes = b"{}") -> Call:
    return Call("POST", "https://us.example/webhooks/line", cases.headers(headers), body, path_secret)


def basic(login: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(login.encode()).decode()}


def is_planted(account: Account, call: Call) -> bool:
    try:
        authenticity.check_planted(account, call, "webhook_secret")
    except BadSignatureError:
        return False
    return True


@pytest.mark.parametrize(
    "account, call",
    [
        (ACCOUNT, called({"X-Backchat-Secret": "planted-4821"})),
        (ACCOUNT, called({"x-backchat-secret": "planted-4821"})),
        (ACCOUNT, called({"X-Backchat-Secret": "before-1764"})),
        (ACCOUNT, called({}, "planted-4821")),
        (ACCOUNT, called({}, "before-1764")),
        (ACCOUNT, called(basic("anybody:planted-4821"))),
        (PAIR, called(basic("hook:planted-4821"))),
        (ACCOUNT, called({"X-Backchat-Secret": "wrong"}, "planted-4821")),
    ],
)
def test_a_planted_secret_is_found_wherever_a_provider_can_put_it(account: Account, call: Call) -> None:
    assert is_planted(account, call)


@pytest.mark.parametrize(
    "account, call",
    [
        (ACCOUNT, called({})),
        (ACCOUNT, called({}, "")),
        (ACCOUNT, called({}, "planted-482")),
        (ACCOUNT, called({"X-Backchat-Secret": "planted-4821, planted-4821"})),
        (ACCOUNT, called({"X-Backchat-Secret": " planted-4821"})),
        (ACCOUNT, called({"X-Backchat-Secret": "plånted-4821"})),
        (ACCOUNT, called({"X-Backchat-Secret": "\ud83c"})),
        (ACCOUNT, called({"Authorization": "planted-4821"})),
        (ACCOUNT, called({"Authorization": "Bearer planted-4821"})),
        (ACCOUNT, called({"Authorization": "Basic"})),
        (ACCOUNT, called({"Authorization": "Basic not/base64!"})),
        (ACCOUNT, called({"Authorization": "Basic é"})),
        (ACCOUNT, called({"Authorization": basic("u:planted-4821")["authorization"].replace("LT", "L!T")})),
        (ACCOUNT, called({"Authorization": "Basic /w=="})),
        (ACCOUNT, called(basic("planted-4821"))),
        (ACCOUNT, called(basic("planted-4821:anything"))),
        (PAIR, called(basic("other:planted-4821"))),
        (Account("https://api.example", "7", {}), called({}, "None")),
        (Account("https://api.example", "7", {"webhook_secret": ""}), called({"X-Backchat-Secret": ""}, "")),
    ],
)
def test_nothing_else_is_a_planted_secret(account: Account, call: Call) -> None:
    assert not is_planted(account, call)


@pytest.mark.parametrize(
    "check, right",
    [
        (authenticity.check_hmac_hex, "{hex}"),
        (authenticity.check_hmac_base64, "{base64}"),
    ],
)
@pytest.mark.parametrize("secret", ["planted-4821", "before-1764"])
def test_a_signature_is_of_the_raw_bytes_with_either_secret_of_a_rotation(
    check: Callable[[Account, Call, str, str], None], right: str, secret: str
) -> None:
    body = rb'{"text": "\u00e9"}'
    signature = right.format_map(signatures(secret, body))
    check(ACCOUNT, called({"X-Signature": signature}, body=body), "webhook_secret", "x-signature")
    for wrong in (
        called({"X-Signature": signature}, body=body + b"\n"),
        called({"X-Signature": f"{signature}, {signature}"}, body=body),
        called({"X-Signature": signature[:-1]}, body=body),
        called({"X-Signature": signature + "="}, body=body),
        called({"X-Signature": signature.swapcase()}, body=body),
        called({"X-Signature": "é" * len(signature)}, body=body),
        called({}, body=body),
    ):
        with pytest.raises(BadSignatureError):
            check(ACCOUNT, wrong, "webhook_secret", "x-signature")


def signatures(secret: str, body: bytes) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {"hex": digest.hex(), "base64": base64.b64encode(digest).decode()}
