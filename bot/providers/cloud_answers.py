"""What an answer to a send means, wherever the Cloud API's own answers are handed through."""

from typing import Any

import orjson

from bot.providers.base import Action, Outcome
from bot.providers.cloud_codes import ACTIONS, MEANINGS, REFUSED_BEFORE_WORK

_WRONG_ADDRESS = frozenset({401, 403, 404, 405, 407, 410})
"""Without an error object these come from something in between, which will say the same to every recipient."""


def outcome(status: int, answer: dict[str, Any]) -> Outcome:
    """`answer` is the body as JSON, {} if it is none."""
    return _accepted(answer) if 200 <= status < 300 else _refused(status, answer)


def read(body: bytes) -> dict[str, Any]:
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
