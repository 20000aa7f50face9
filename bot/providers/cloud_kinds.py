"""What a person reads of each kind of inbound message, and what they chose; one row per kind of Meta's reference."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bot.providers.cloud_identity import text_of
from bot.providers.events import MediaRef

Part = Mapping[str, Any]

MEDIA_KINDS = frozenset({"image", "video", "audio", "voice", "document", "sticker"})
_MAX_URL = 2000
_MAX_NAME = 255


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


def media_of(kind: str, message: Part) -> MediaRef | None:
    """The file of a message; named also with neither id nor URL, as on-premises when a download failed."""
    part = message.get(kind)
    if kind not in MEDIA_KINDS or not isinstance(part, dict):
        return None
    url = _string(part, "url") or _string(part, "link")
    name = _string(part, "filename")
    return MediaRef(
        id=text_of(part, "id"),
        url=url if url and len(url) <= _MAX_URL and url.startswith(("https://", "http://")) else None,
        mime_type=text_of(part, "mime_type"),
        sha256=text_of(part, "sha256"),
        name=name[-_MAX_NAME:] if name else None,  # from the end, where the extension is
    )


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


def _names(contacts: object) -> str | None:
    listed = contacts if isinstance(contacts, list) else ()
    return ", ".join(filter(None, (_contact(each) for each in listed if isinstance(each, dict)))) or None


def _contact(contact: Part) -> str | None:
    """A shared contact's name or, since a person may share their own number without one, the first number."""
    name, phones = contact.get("name"), contact.get("phones")
    name = name if isinstance(name, dict) else {}
    parts = filter(None, (_string(name, "first_name"), _string(name, "last_name")))
    first = next(iter(phones), None) if isinstance(phones, list) else None
    phone = text_of(first, "phone") if isinstance(first, dict) else None
    return _string(name, "formatted_name") or " ".join(parts) or phone


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
    "reaction": lambda part: Reading(_string(part, "emoji")),
}
"""Audio, stickers and whatever is not here have nothing to read."""
