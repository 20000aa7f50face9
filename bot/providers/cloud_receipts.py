"""Read receipts and the typing indicator (Meta, "Mark messages as read" and "Typing indicators").

A provider that hands the Graph API through subclasses it and overrides `headers` and `url`.
"""

from typing import Any

import orjson

from bot.providers import cloud_answers
from bot.providers.base import Account, Action, HttpRequest, Outcome


class CloudReceipts:
    """The indicator is shown for 25 seconds or until the answer, and marks the message as read with it."""

    def headers(self, account: Account) -> dict[str, str]:
        return {"Authorization": f"Bearer {account.secrets['access_token']}"}

    def url(self, account: Account, number_id: str) -> str:
        return f"{account.base_url}/{number_id}/messages"

    def read(self, account: Account, number_id: str, message_id: str, *, is_typing: bool) -> HttpRequest:
        body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
        if is_typing:
            body["typing_indicator"] = {"type": "text"}
        headers = self.headers(account) | {"Content-Type": "application/json"}
        return HttpRequest("POST", self.url(account, number_id), headers, orjson.dumps(body))

    def noted(self, status: int, body: bytes) -> Outcome:
        if 200 <= status < 300:
            return Outcome(Action.ACCEPTED)
        return cloud_answers.outcome(status, cloud_answers.read(body))
