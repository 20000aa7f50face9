"""Every kind of message in words, so that a thread can be read without pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """A message as a bubble shows it; `text` may hold anything a person wrote."""

    label: str | None
    """What it is, unless it is plain text."""
    icon: str | None
    text: str | None
    detail: str | None = None
    buttons: tuple[str, ...] = ()


KINDS: Mapping[str, tuple[str, str | None]] = {
    "image": ("Photo", "photo"),
    "video": ("Video", "photo"),
    "audio": ("Audio", "voice"),
    "document": ("Document", "file"),
    "sticker": ("Sticker", "photo"),
    "location": ("Location", "place"),
    "contacts": ("Contact card", "team"),
    "button": ("Tapped a button", None),
    "interactive": ("Chose", None),
    "reaction": ("Reacted", None),
    "order": ("Order", "file"),
    "system": ("Notice from WhatsApp", "alert"),
    "edit": ("Edited a message", None),
    "revoke": ("Deleted a message", None),
    "template": ("Template", None),
    "unsupported": ("A kind of message WhatsApp does not pass on", "alert"),
    "unknown": ("A message that came without its content", "alert"),
}


def describe(kind: str, content: Mapping[str, Any] | None, body: str | None, *, is_outbound: bool) -> Said:
    part = (content or {}).get(kind)
    inner: Mapping[str, Any] = part if isinstance(part, dict) else {}
    if kind == "text":
        return Said(None, None, body)
    if kind == "interactive" and is_outbound:
        return Said(None, None, body, buttons=_buttons(inner))
    label, icon = KINDS.get(kind, (f"A message of the kind “{kind}”", "alert"))
    if kind == "audio" and inner.get("voice"):
        label = "Voice message"
    if kind == "template" and isinstance(inner.get("name"), str):
        label = f"Template {inner['name']}"
    return Said(label, icon, body, _detail(kind, inner, body))


def summary(kind: str, content: Mapping[str, Any] | None, body: str | None, *, is_outbound: bool) -> str:
    """One line for the list of conversations."""
    said = describe(kind, content, body, is_outbound=is_outbound)
    return ": ".join(part for part in (said.label, said.text) if part)


def _detail(kind: str, part: Mapping[str, Any], body: str | None) -> str | None:
    if kind == "location" and "latitude" in part and "longitude" in part:
        placed = f"{part['latitude']}, {part['longitude']}"
        return placed if placed != body else None
    name = part.get("filename")
    return name if isinstance(name, str) and name != body else None


def _buttons(part: Mapping[str, Any]) -> tuple[str, ...]:
    action = part.get("action")
    buttons = action.get("buttons") if isinstance(action, dict) else None
    replies = [button.get("reply") for button in buttons or () if isinstance(button, dict)]
    return tuple(str(reply.get("title", "")) for reply in replies if isinstance(reply, dict))
