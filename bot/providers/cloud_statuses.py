"""One item of `statuses` as an event, and the errors that stand beside, not in, messages and statuses."""

from typing import Any, Literal

from bot.language import Say, later
from bot.providers import cloud_identity as identity
from bot.providers.base import Action
from bot.providers.cloud_codes import ACTIONS, MEANINGS
from bot.providers.cloud_items import Item, ItemError, Surroundings, id_of, time_of, word_of
from bot.providers.events import AccountAlert, Event, Notice, StatusUpdate

_MAX_CALLBACK = 512
_MAX_TEXT = 500
_MAX_CODE = 2**31

_SEVERITIES: dict[Action, Literal["warning", "critical"]] = {
    Action.STOP_NUMBER: "critical",
    Action.THROTTLE: "warning",
}
"""What an error of a value's own means for an operator, by what it means for the outbox."""


def status_event(at: str, item: Item, around: Surroundings) -> Event:
    """Raises ItemError. A word we do not know is handed on."""
    status = word_of(item, "status")
    if status is None:
        raise ItemError("status is missing or not a word")
    callback = item.get("biz_opaque_callback_data")
    code, text = first_error(item)
    return StatusUpdate(
        pointer=at,
        number_id=around.number_id,
        message_id=id_of(item),
        status=status,
        occurred_at=time_of(item),
        callback=callback if isinstance(callback, str) and len(callback) <= _MAX_CALLBACK else None,
        recipient=identity.recipient_of(item),
        error_code=code,
        error_text=text,
    )


def error_event(at: str, item: Item, around: Surroundings) -> Event:
    """One item of a value's own `errors`; raises ItemError.

    What halts or slows the number is an alert, for nothing else may ever say so. The rest is about a message in the
    same body that Meta could not pass on, which is shown as unsupported: as alerts these would bury the others.
    """
    code = code_of(item)
    if code is None:
        raise ItemError("code is missing")
    severity = _SEVERITIES.get(ACTIONS.get(code, Action.UNKNOWN))
    if severity is None:
        return Notice(at, f"errors.{code}", item)
    return AccountAlert(at, f"errors.{code}", severity, error_said(item), item, around.number_id or None)


def error_said(item: Item, say: Say = str) -> str:
    code = code_of(item)
    meaning = MEANINGS.get(code) if code is not None else None
    told = say(meaning) if meaning else identity.text_of(item, "title") or say(later("it does not say why"))
    return say(later("The provider reports error %(code)s: %(why)s.")) % {"code": code, "why": told}


def first_error(item: Item) -> tuple[int | None, str | None]:
    """Code and text of the first of an item's `errors` that has a code."""
    errors = item.get("errors")
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict) and (code := code_of(error)) is not None:
            text = error.get("title") or error.get("message")
            return code, text[:_MAX_TEXT] if isinstance(text, str) else None
    return None, None


def code_of(error: dict[str, Any]) -> int | None:
    """The code, which some senders write as text."""
    written = identity.text_of(error, "code")
    if written is None or not written.isdecimal() or len(written) > len(str(_MAX_CODE)):
        return None
    code = int(written)
    return code if code < _MAX_CODE else None
