"""One item of a `messages` value as an event: a message, a status, or a change of a person's ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.providers import cloud_identity as identity
from bot.providers import cloud_json
from bot.providers.cloud_kinds import reading_of
from bot.providers.events import Event, IdentityChange, InboundMessage, Notice, ReactionChange, Sender, StatusUpdate

Item = dict[str, Any]

_MAX_ID = 512
_MAX_WORD = 64
_MILLISECONDS_FROM = 10**12
_COLUMNS = frozenset({"id", "timestamp", "from", "from_user_id", "from_parent_user_id"})
"""Members of a message that have a column of their own; all others are kept as they came."""


class ItemError(ValueError):
    """Why an item cannot be read; repeats nothing of its content."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the value says once for all of its items."""

    number_id: str
    own_digits: str | None
    contacts: identity.Contacts


def message_event(at: str, item: Item, around: Surroundings) -> Event:
    """Raises ItemError or KindError."""
    if "group_id" in item:  # several people in one thread: not a conversation of ours
        return Notice(at, "messages.group", {})
    sender = identity.sender_of(item, around.contacts)
    if sender is None:
        raise ItemError("nothing says who sent it")
    if sender.phone is not None and sender.phone == around.own_digits:
        return Notice(at, "messages.own", {})
    if not cloud_json.is_storable(item):
        raise ItemError("it is nested too deeply or holds a number beyond 64 bits")
    message_id, occurred_at = _id_of(item), _time_of(item)
    kind = _word_of(item, "type") or "unknown"
    part = item.get(kind)
    if kind == "reaction":
        return _reaction(at, around.number_id, message_id, sender, part, occurred_at)
    if kind == "system" and isinstance(part, dict) and (moved := _moved(part)) != (None, None):
        body = part.get("body")
        text = body if isinstance(body, str) else None
        return IdentityChange(at, around.number_id, message_id, sender, *moved, text, occurred_at)
    reading = reading_of(kind, item)
    context = item.get("context")
    return InboundMessage(
        pointer=at,
        number_id=around.number_id,
        message_id=message_id,
        sender=sender,
        kind=kind,
        body=reading.body,
        content={key: value for key, value in item.items() if key not in _COLUMNS},
        occurred_at=occurred_at,
        reply_to=identity.text_of(context, "id") if isinstance(context, dict) else None,
        choice=reading.choice,
    )


def status_event(at: str, item: Item, around: Surroundings) -> Event:
    """Raises ItemError."""
    status = _word_of(item, "status")
    if status is None:
        raise ItemError("status is missing or not a word")
    callback = item.get("biz_opaque_callback_data")
    code, text = _first_error(item)
    return StatusUpdate(
        pointer=at,
        number_id=around.number_id,
        message_id=_id_of(item),
        status=status,
        occurred_at=_time_of(item),
        callback=callback if isinstance(callback, str) and len(callback) <= _MAX_ID else None,
        recipient=identity.recipient_of(item),
        error_code=code,
        error_text=text,
    )


def user_id_event(at: str, item: Item, around: Surroundings) -> Event:
    """An item of the field `user_id_update`; raises ItemError. It has no message id, for it is no message."""
    ids = item.get("user_id")
    previous = identity.text_of(ids, "previous") if isinstance(ids, dict) else None
    current = identity.text_of(ids, "current") if isinstance(ids, dict) else None
    phone = identity.digits_of(identity.text_of(item, "wa_id"))
    if current is None or (previous is None and phone is None):
        raise ItemError("user_id.current, or who it belonged to, is missing")
    sender = Sender(phone=phone, user_id=previous)
    return IdentityChange(at, around.number_id, "", sender, None, current, None, _time_of(item))


def _reaction(
    at: str, number_id: str, message_id: str, sender: Sender, part: object, occurred_at: datetime
) -> ReactionChange:
    target = identity.text_of(part, "message_id") if isinstance(part, dict) else None
    if target is None or not isinstance(part, dict):
        raise ItemError("reaction.message_id is missing")
    emoji = part.get("emoji")
    return ReactionChange(
        at, number_id, message_id, sender, target, emoji if isinstance(emoji, str) and emoji else None, occurred_at
    )


def _moved(part: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(new phone digits, new user id) of a system message; the on-premises names are still seen."""
    if part.get("type") not in {"user_changed_number", "user_changed_user_id", "customer_changed_number"}:
        return None, None
    written = identity.text_of(part, "wa_id") or identity.text_of(part, "new_wa_id")
    user_id = identity.text_of(part, "user_id")
    if user_id is None and written is not None and identity.is_user_id(written):
        user_id = written
    return identity.digits_of(written), user_id


def _id_of(item: Item) -> str:
    message_id = item.get("id")
    if not isinstance(message_id, str) or not 0 < len(message_id) <= _MAX_ID:
        raise ItemError(f"id is missing or not a text of at most {_MAX_ID} characters")
    return message_id


def _word_of(item: Item, key: str) -> str | None:
    word = item.get(key)
    return word if isinstance(word, str) and 0 < len(word) <= _MAX_WORD else None


def _time_of(item: Item) -> datetime:
    """Unix seconds as text; some senders write a number, or milliseconds."""
    raw = item.get("timestamp")
    try:
        seconds = float(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else -1.0
        if seconds >= _MILLISECONDS_FROM:
            seconds /= 1000
        if seconds < 0:
            raise ItemError("timestamp is not in unix seconds")
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ItemError("timestamp is not in unix seconds") from None


def _first_error(item: Item) -> tuple[int | None, str | None]:
    match item.get("errors"):
        case [{"code": int(code)} as error, *_]:
            text = error.get("title") or error.get("message")
            return code, text[:500] if isinstance(text, str) else None
    return None, None
