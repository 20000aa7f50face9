"""What a person reads of each kind of inbound message, and what they chose; one row per kind of Meta's reference."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bot.providers.cloud_identity import text_of

Part = Mapping[str, Any]


class KindError(ValueError):
    """The message's own part is not what its kind calls for; the text says which."""


class Reading(NamedTuple):
    body: str | None = None
    choice: str | None = None


def reading_of(kind: str, message: Part) -> Reading:
    """Raises KindError. A kind we do not know, or one whose part is missing, is kept without a body."""
    if kind == "contacts":
        return Reading(_names(message.get("contacts")))
    if kind == "text" and not isinstance(message.get("text"), dict):
        raise KindError("text is not an object")
    part = message.get(kind)
    read = _READERS.get(kind)
    return read(part) if read is not None and isinstance(part, dict) else Reading()


def _text(part: Part) -> Reading:
    body = part.get("body")
    if not isinstance(body, str):
        raise KindError("text.body is not a text")
    return Reading(body)


def _media(part: Part) -> Reading:
    return Reading(_string(part, "caption") or _string(part, "filename"))


def _location(part: Part) -> Reading:
    named = [text for text in (_string(part, "name"), _string(part, "address")) if text]
    placed = [str(part[key]) for key in ("latitude", "longitude") if isinstance(part.get(key), int | float | str)]
    return Reading(", ".join(named or placed) or None)


def _button(part: Part) -> Reading:
    return Reading(_string(part, "text"), text_of(part, "payload") or _string(part, "text"))


def _interactive(part: Part) -> Reading:
    for member in ("button_reply", "list_reply"):
        reply = part.get(member)
        if isinstance(reply, dict):
            return Reading(_string(reply, "title"), _string(reply, "id"))
    flow = part.get("nfm_reply")
    return Reading(_string(flow, "body")) if isinstance(flow, dict) else Reading()


def _edit(part: Part) -> Reading:
    edited = part.get("message")
    if not isinstance(edited, dict) or not isinstance(edited.get("type"), str):
        return Reading()
    inner: str = edited["type"]
    return Reading(reading_of(inner, edited).body) if inner != "edit" else Reading()


def _names(contacts: object) -> str | None:
    names = [
        contact["name"]["formatted_name"]
        for contact in (contacts if isinstance(contacts, list) else ())
        if isinstance(contact, dict)
        and isinstance(contact.get("name"), dict)
        and isinstance(contact["name"].get("formatted_name"), str)
    ]
    return ", ".join(names) or None


def _string(part: Part, key: str) -> str | None:
    value = part.get(key)
    return value if isinstance(value, str) and value else None


_READERS: dict[str, Callable[[Part], Reading]] = {
    "text": _text,
    "image": _media,
    "video": _media,
    "document": _media,
    "location": _location,
    "button": _button,
    "interactive": _interactive,
    "order": lambda part: Reading(_string(part, "text")),
    "system": lambda part: Reading(_string(part, "body")),
    "edit": _edit,
}
"""Audio, stickers and whatever is not here have nothing to read."""
