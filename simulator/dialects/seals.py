"""How a webhook shows that it comes from the provider: signed, or with something the business planted."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from simulator.config import Account
from simulator.posting import Webhook, signature


class Seal(Protocol):
    def proof(self, account: Account, webhook: Webhook, secret: str | None = None) -> str | None:
        """What the holder of `secret` would show; without one, of the account's own (None: as it was planted)."""

    def put(self, account: Account, webhook: Webhook, proof: str | None) -> Webhook:
        """The webhook with the proof; an empty one leaves it out."""


class Signed(NamedTuple):
    """A header that only who knows the secret can make; `member` is where the account keeps the secret."""

    header: str
    sign: Callable[[str, Webhook], str]
    member: str = "app_secret"

    def proof(self, account: Account, webhook: Webhook, secret: str | None = None) -> str:
        return self.sign(getattr(account, self.member) if secret is None else secret, webhook)

    def put(self, account: Account, webhook: Webhook, proof: str | None) -> Webhook:  # noqa: ARG002 (the contract)
        return webhook._replace(headers={**webhook.headers, self.header: proof}) if proof else webhook


class Planted:
    """The account's `callback_headers`; without any, the last part of the address is the secret."""

    def proof(self, account: Account, webhook: Webhook, secret: str | None = None) -> str | None:  # noqa: ARG002
        return secret

    def put(self, account: Account, webhook: Webhook, proof: str | None) -> Webhook:
        planted = account.callback_headers
        if proof is not None and not planted:
            return webhook._replace(url=_ending(webhook.url, proof))
        if proof is not None:
            planted = dict.fromkeys(planted, proof) if proof else {}
        return webhook._replace(headers={**webhook.headers, **planted})


def _ending(url: str, word: str) -> str:
    """With another last part of the path, or without any."""
    parts = urlsplit(url)
    rest = parts.path.rpartition("/")[0]
    return urlunsplit(parts._replace(path=f"{rest}/{quote(word, safe='')}" if word else rest))


def by_hub(secret: str, webhook: Webhook) -> str:
    return signature(secret, webhook.body)


def by_base64(secret: str, webhook: Webhook) -> str:
    """As Turn.io signs."""
    return base64.b64encode(hmac.digest(secret.encode(), webhook.body, hashlib.sha256)).decode()


def by_form(secret: str, webhook: Webhook) -> str:
    """As Twilio signs: the address, then every name and value of the form, sorted by name."""
    fields = parse_qsl(webhook.body.decode(), keep_blank_values=True)
    told = webhook.url + "".join(name + value for name, value in sorted(fields))
    return base64.b64encode(hmac.digest(secret.encode(), told.encode(), hashlib.sha1)).decode()
