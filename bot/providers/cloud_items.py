"""What items of the Cloud API's shape have in common, with an envelope around them or (Turn, on-premises) without."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.providers import cloud_identity as identity
from bot.providers import cloud_json

Item = dict[str, Any]

_MAX_ID = 512
_MAX_WORD = 64
_MILLISECONDS_FROM = 10**12


class ItemError(ValueError):
    """Why an item cannot be read; repeats nothing of its content."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the value says once for all of its items; `number_id` may be ONLY_NUMBER."""

    number_id: str
    own_digits: str | None
    contacts: identity.Contacts


@dataclass(frozen=True, slots=True)
class Entry:
    """What an entry says once for its changes about the account, its templates and its numbers."""

    account_id: str
    """Empty where nothing says it."""
    occurred_at: datetime | None


def id_of(item: Mapping[str, Any]) -> str:
    """Raises ItemError."""
    message_id = item.get("id")
    if not isinstance(message_id, str) or not 0 < len(message_id) <= _MAX_ID:
        raise ItemError(f"id is missing or not a text of at most {_MAX_ID} characters")
    return message_id


def time_of(item: Mapping[str, Any], key: str = "timestamp") -> datetime:
    """Unix seconds as text; some senders write a number, or milliseconds. Raises ItemError."""
    raw = item.get(key)
    try:
        seconds = float(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else -1.0
        if seconds >= _MILLISECONDS_FROM:
            seconds /= 1000
        if seconds < 0:
            raise ItemError(f"{key} is not in unix seconds")
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ItemError(f"{key} is not in unix seconds") from None


def time_or_none(item: Mapping[str, Any], key: str) -> datetime | None:
    try:
        return time_of(item, key)
    except ItemError:
        return None


def word_of(item: Mapping[str, Any], key: str) -> str | None:
    word = item.get(key)
    return word if isinstance(word, str) and 0 < len(word) <= _MAX_WORD else None


def part_of(item: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A member that is an object, or an empty one in its place."""
    part = item.get(key)
    return part if isinstance(part, dict) else {}


def sentence(text: str) -> str:
    """Begins with a capital and ends with a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def demand_storable(item: Item) -> None:
    """Raises ItemError."""
    if not cloud_json.is_storable(item):
        raise ItemError("it is nested too deeply or holds a number beyond 64 bits")
