import hashlib
import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import aiohttp
from yarl import URL

JSON = MappingProxyType({"Content-Type": "application/json", "User-Agent": "facebookexternalua"})
FORM = MappingProxyType({"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})


class Webhook(NamedTuple):
    """One call to the business; `url` goes out letter by letter as it is written here, for it may be signed."""

    url: str
    body: bytes = b""
    headers: Mapping[str, str] = JSON
    method: str = "POST"


def signature(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Poster:
    """The way out to the business; whatever goes wrong on it is the status 0."""

    def __init__(self) -> None:
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def post(self, webhook: Webhook, timeout_s: float) -> int:
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._client.request(
                webhook.method,
                URL(webhook.url, encoded=True),
                data=webhook.body or None,
                headers=webhook.headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return 0

    async def shake_hands(self, url: str, verify_token: str, challenge: str) -> tuple[int, str]:
        """The GET of the verification: status and body, or 0 and why there was no answer."""
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        try:
            async with self._client.get(url, params=query, timeout=aiohttp.ClientTimeout(total=10)) as answer:
                return answer.status, await answer.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return 0, str(error) or type(error).__name__

    async def close(self) -> None:
        await self._client.close()
