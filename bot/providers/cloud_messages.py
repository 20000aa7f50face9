"""One item of `messages` or `message_echoes` as an event: something said, or a change of something said or of a person.

The content stays in the Cloud API's shape; what a column or an event's field holds is taken out of it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from bot.providers import cloud_identity as identity
from bot.providers.cloud_items import Item, ItemError, Surroundings, demand_storable, id_of, part_of, time_of, word_of
from bot.providers.cloud_kinds import media_of, reading_of
from bot.providers.events import (
    Echo,
    Event,
    IdentityChange,
    InboundMessage,
    MessageEdit,
    MessageRevoke,
    Notice,
    ReactionChange,
    Sender,
)

_COLUMNS = frozenset({"id", "timestamp", *(key for n in (identity.FROM, identity.TO) for key in (n.phone, n.parent))})
_COLUMNS |= {key for naming in (identity.FROM, identity.TO) for key in naming.user_ids}
"""Members of a message that have a column of their own; all others are kept as they came."""

_MOVES = frozenset({"user_changed_number", "user_changed_user_id", "customer_changed_number"})
"""System messages about a new address; the last is the on-premises name. The others are rows in the thread."""


class _Told(NamedTuple):
    """What every event of a message begins with."""

    pointer: str
    number_id: str
    message_id: str
    occurred_at: datetime


def message_event(at: str, item: Item, around: Surroundings) -> Event:
    """An item of `messages`. Raises ItemError or KindError."""
    if item.get("group_id"):  # several people in one thread: not a conversation of ours
        return Notice(at, "messages.group", {})
    sender = identity.person_of(item, identity.FROM, around.contacts)
    if sender is None:
        raise ItemError("nothing says who sent it")
    if sender.phone is not None and sender.phone == around.own_digits:
        is_addressed = identity.person_of(item, identity.TO, around.contacts) is not None
        return echo_event(at, item, around) if is_addressed else Notice(at, "messages.own", {})
    told, kind = _told(at, item, around), kind_of(item)
    part = part_of(item, kind)
    if kind in _CHANGES:
        return _CHANGES[kind](told, sender, part)
    if kind == "reaction":
        return _reaction(told, sender, part)
    if kind == "system" and (moved := _moved(part)) != (None, None):
        return IdentityChange(
            told.pointer,
            told.number_id,
            told.message_id,
            sender,
            *moved,
            reading_of(kind, item).body,
            told.occurred_at,
        )
    reading = reading_of(kind, item)
    return InboundMessage(
        pointer=at,
        number_id=told.number_id,
        message_id=told.message_id,
        sender=sender,
        kind=kind,
        body=reading.body,
        content=content_of(item),
        occurred_at=told.occurred_at,
        reply_to=_reply_to(item),
        choice=reading.choice,
        media=media_of(kind, item),
    )


def echo_event(
    at: str, item: Item, around: Surroundings, *, author: Literal["app", "automation"] = "app"
) -> Echo | MessageEdit | MessageRevoke:
    """A message that the business sent elsewhere, or its edit or deletion. Raises ItemError or KindError."""
    told, kind = _told(at, item, around), kind_of(item)
    if kind in _CHANGES:
        return _CHANGES[kind](told, None, part_of(item, kind))
    recipient = identity.person_of(item, identity.TO, around.contacts)
    if recipient is None:
        raise ItemError("nothing says whom it was sent to")
    return Echo(
        pointer=at,
        number_id=told.number_id,
        message_id=told.message_id,
        recipient=recipient,
        author=author,
        kind=kind,
        body=reading_of(kind, item).body,
        content=content_of(item),
        occurred_at=told.occurred_at,
        reply_to=_reply_to(item),
        media=media_of(kind, item),
    )


def kind_of(item: Mapping[str, Any]) -> str:
    return word_of(item, "type") or "unknown"


def content_of(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in _COLUMNS}


def _told(at: str, item: Item, around: Surroundings) -> _Told:
    demand_storable(item)
    return _Told(at, around.number_id, id_of(item), time_of(item))


def _reply_to(item: Mapping[str, Any]) -> str | None:
    target = identity.text_of(part_of(item, "reaction"), "message_id")
    return target or identity.text_of(part_of(item, "context"), "id")


def _edit(told: _Told, sender: Sender | None, part: Mapping[str, Any]) -> MessageEdit:
    target, edited = _target(part, "edit.original_message_id"), part.get("message")
    if not isinstance(edited, dict) or kind_of(edited) in {"unknown", *_CHANGES}:
        raise ItemError("edit.message is not a message")
    kind = kind_of(edited)
    body, content = reading_of(kind, edited).body, content_of(edited)
    return MessageEdit(
        told.pointer, told.number_id, told.message_id, sender, target, kind, body, content, told.occurred_at
    )


def _revoke(told: _Told, sender: Sender | None, part: Mapping[str, Any]) -> MessageRevoke:
    target = _target(part, "revoke.original_message_id")
    return MessageRevoke(told.pointer, told.number_id, told.message_id, sender, target, told.occurred_at)


def _reaction(told: _Told, sender: Sender, part: Mapping[str, Any]) -> ReactionChange:
    emoji = part.get("emoji")
    return ReactionChange(
        told.pointer,
        told.number_id,
        told.message_id,
        sender,
        _target(part, "reaction.message_id"),
        emoji if isinstance(emoji, str) and emoji else None,
        told.occurred_at,
    )


def _target(part: Mapping[str, Any], member: str) -> str:
    target = part.get(member.partition(".")[2])
    if not isinstance(target, str) or not target:
        raise ItemError(f"{member} is missing")
    return target


def _moved(part: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(new phone digits, new user id) of a system message."""
    if part.get("type") not in _MOVES:
        return None, None
    written = identity.text_of(part, "wa_id") or identity.text_of(part, "new_wa_id")
    user_id = identity.text_of(part, "user_id")
    if user_id is None and written is not None and identity.is_user_id(written):
        user_id = written
    return identity.digits_of(written), user_id


_CHANGES: dict[str, Callable[[_Told, Sender | None, Mapping[str, Any]], MessageEdit | MessageRevoke]] = {
    "edit": _edit,
    "revoke": _revoke,
}
