"""WhatsApp Cloud API: signed webhooks in, Graph calls out (Meta, "Webhooks" and "Send messages")."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import orjson

from bot.providers import cloud_parse
from bot.providers.base import (
    NO_HEADERS,
    Account,
    Action,
    BadSignatureError,
    Call,
    HttpRequest,
    MediaAccess,
    OutboundMessage,
    Outcome,
    TemplateList,
)
from bot.providers.cloud_codes import ACTIONS, MEANINGS, REFUSED_BEFORE_WORK
from bot.providers.cloud_identity import is_user_id
from bot.providers.events import Event

_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")
_WRONG_ADDRESS = frozenset({401, 403, 404, 405, 407, 410})
"""Without an error object these come from something in between, which will say the same to every recipient."""


class Cloud:
    name = "cloud"
    title = "WhatsApp Cloud API"
    secret_names: tuple[str, ...] = ("access_token", "app_secret", "verify_token")
    default_base_url: str | None = "https://graph.facebook.com/v25.0"
    takes_get = False
    kept_headers: tuple[str, ...] = ()
    acknowledgement = ("text/plain; charset=utf-8", "")
    templates: TemplateList | None = None
    media: MediaAccess | None = None

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:
        token = query.get("hub.verify_token", "").encode()
        is_right = hmac.compare_digest(token, account.secrets["verify_token"].encode())
        if not is_right or query.get("hub.mode") != "subscribe":
            return None
        return query.get("hub.challenge")

    def verify(self, account: Account, call: Call) -> None:
        # Two headers of the name arrive joined by a comma, which the form refuses like anything else.
        given = _SIGNATURE.fullmatch(call.headers.get("X-Hub-Signature-256", ""))
        if given is None:
            raise BadSignatureError
        for secret in account.accepted("app_secret"):
            expected = hmac.digest(secret.encode(), call.body, hashlib.sha256).hex()
            if hmac.compare_digest(given[1], expected):
                return
        raise BadSignatureError

    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:  # noqa: ARG002 (the contract)
        return cloud_parse.parse(body)

    def request(self, account: Account, number_id: str, message: OutboundMessage) -> HttpRequest:
        """`account.base_url` includes the Graph version; a business-scoped user id goes in `recipient`, not in `to`."""
        address = "recipient" if is_user_id(message.to) else "to"
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            address: message.to,
            **message.content,
            "biz_opaque_callback_data": message.callback,
        }
        headers = {"Authorization": f"Bearer {account.secrets['access_token']}", "Content-Type": "application/json"}
        return HttpRequest("POST", f"{account.base_url}/{number_id}/messages", headers, orjson.dumps(body))

    def outcome(self, status: int, body: bytes) -> Outcome:
        answer = _read(body)
        if 200 <= status < 300:
            return _accepted(answer)
        return _refused(status, answer)


def _read(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _accepted(answer: dict[str, Any]) -> Outcome:
    match answer.get("messages"):
        case [{"id": str(message_id)}, *_] if message_id:
            return Outcome(Action.ACCEPTED, message_id)
    return Outcome(Action.UNKNOWN, text="the answer says success but names no message")


def _refused(status: int, answer: dict[str, Any]) -> Outcome:
    match answer.get("error"):
        case {"code": int(code)}:
            return Outcome(_action_of(status, code), None, code, MEANINGS.get(code, f"error {code}"))
    if status == 429:
        return Outcome(Action.THROTTLE, text="too many requests")
    if status in _WRONG_ADDRESS or 300 <= status < 400:
        return Outcome(Action.STOP_NUMBER, text=f"HTTP {status} without a reason: check the connection's base URL")
    return Outcome(Action.UNKNOWN, text=f"HTTP {status} without a reason")


def _action_of(status: int, code: int) -> Action:
    if status >= 500 and code not in REFUSED_BEFORE_WORK:
        return Action.UNKNOWN
    return ACTIONS.get(code, Action.THROTTLE if status == 429 else Action.FAIL)
