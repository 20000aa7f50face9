"""What Kaleyra answers to a send: {"id": "<uuid>:0"}, or {"error": {"<member>": "why"}} (Kaleyra, "Send a message")."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.providers import cloud_answers
from bot.providers.base import Action, Outcome
from bot.providers.cloud_identity import text_of
from bot.providers.cloud_items import part_of

_PLACE = re.compile(r":[0-9]+$")

_MEMBERS = {
    **dict.fromkeys(("api-key", "api_key", "channel", "from", "callback_url", "sid"), Action.STOP_NUMBER),
    **dict.fromkeys(("template_name", "lang_code", "params", "param_header", "param_url"), Action.STOP_BROADCAST),
    **dict.fromkeys(("to", "type", "body", "caption", "media", "media_url"), Action.FAIL),
}
"""A refused member of the form and what that means, the gravest first."""


def outcome(status: int, body: bytes) -> Outcome:
    answer = cloud_answers.read(body)
    error, is_success = part_of(answer, "error"), 200 <= status < 300
    if status == 429:
        return Outcome(Action.THROTTLE, text="too many requests")
    if "code" in error:  # Meta's own, handed through
        return cloud_answers.outcome(400 if is_success else status, answer)
    if status < 500:
        for member, action in _MEMBERS.items():
            if member in error:
                return Outcome(action, text=f"Kaleyra refuses the {member} of the message")
    if is_success and (message_id := next(_message_ids(answer), None)):
        return Outcome(Action.ACCEPTED, bare(message_id))
    if error and (is_success or status == 400):
        return Outcome(Action.FAIL, text="Kaleyra refuses the message for a reason we do not know")
    return cloud_answers.outcome(status, {})


def bare(message_id: str) -> str:
    """Without the place among the recipients, which a send tells and a status may leave out; we send to one."""
    return _PLACE.sub("", message_id)


def _message_ids(answer: Mapping[str, Any]) -> Iterator[str]:
    """Wherever it may stand: V2's answers are Meta's, with or without something around them."""
    for holder in (answer, part_of(answer, "data"), part_of(answer, "meta_object")):
        listed = holder.get("messages")
        first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
        for place, key in ((first, "id"), (holder, "message_id"), (holder, "id")):
            if found := text_of(place, key):
                yield found
