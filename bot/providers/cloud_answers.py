"""What an answer to a send means, wherever the Cloud API's own answers are handed through."""

from collections.abc import Mapping
from typing import Any

import orjson

from bot.providers.base import Action, Outcome
from bot.providers.cloud_codes import ACTIONS, MEANINGS, REFUSED_BEFORE_WORK

_WRONG_ADDRESS = frozenset({401, 403, 404, 405, 407, 410})
"""Without an error object these come from something in between, which will say the same to every recipient."""

_OF_UNKNOWN_CODE = {401: Action.STOP_NUMBER, 429: Action.THROTTLE}


def outcome(
    status: int,
    answer: dict[str, Any],
    actions: Mapping[int, Action] = ACTIONS,
    meanings: Mapping[int, str] = MEANINGS,
) -> Outcome:
    """`answer` is the body as JSON, {} if it is none."""
    if 200 <= status < 300:
        return _accepted(answer)
    match answer.get("error"):
        case {"code": int(code)}:
            return Outcome(_action_of(status, code, actions), None, code, meanings.get(code, f"error {code}"))
    return _refused_without_code(status)


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


def _refused_without_code(status: int) -> Outcome:
    if status == 429:
        return Outcome(Action.THROTTLE, text="too many requests")
    if status in _WRONG_ADDRESS or 300 <= status < 400:
        return Outcome(Action.STOP_NUMBER, text=f"HTTP {status} without a reason: check the connection's base URL")
    return Outcome(Action.UNKNOWN, text=f"HTTP {status} without a reason")


def _action_of(status: int, code: int, actions: Mapping[int, Action]) -> Action:
    if status >= 500 and code not in REFUSED_BEFORE_WORK:
        return Action.UNKNOWN
    return actions.get(code, _OF_UNKNOWN_CODE.get(status, Action.FAIL))
