"""Every kind of message in words, so that a thread can be read without pictures, and nothing in it is blank."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bot.dashboard.details import ANSWERS, Part, detail_of, listed, map_of, text_of, texts_of

DELETED = "A deleted message"


@dataclass(frozen=True, slots=True)
class Said:
    """A message as a bubble shows it; `text` may hold anything a person wrote."""

    label: str | None
    """What it is, unless it is plain text."""
    icon: str | None
    text: str | None
    detail: str | None = None
    buttons: tuple[str, ...] = ()
    href: str | None = None
    """Where `detail` leads: made here of checked numbers, never of what somebody wrote."""


KINDS: Mapping[str, tuple[str, str | None]] = {
    "image": ("Photo", "photo"),
    "video": ("Video", "photo"),
    "audio": ("Audio", "voice"),
    "voice": ("Voice message", "voice"),
    "document": ("Document", "file"),
    "sticker": ("Sticker", "photo"),
    "location": ("Location", "place"),
    "contacts": ("Contact card", "team"),
    "button": ("Tapped a button", None),
    "interactive": ("Chose", None),
    "reaction": ("Reacted", None),
    "order": ("Order", "file"),
    "system": ("Notice from WhatsApp", "alert"),
    "template": ("Template", None),
    "hsm": ("Template", None),
    "ephemeral": ("A disappearing message, which WhatsApp does not pass on", "alert"),
    "request_welcome": ("Opened the chat for the first time", None),
    "unsupported": ("A kind of message WhatsApp does not pass on", "alert"),
    "unknown": ("A message that came without its content", "alert"),
}

UNSUPPORTED: Mapping[str, str] = {
    "button": "a tapped button",
    "edit": "an edit of an earlier message",
    "gif": "a GIF",
    "group_invite": "an invitation to a group",
    "interactive": "an answer to a choice",
    "keep_in_chat": "a message kept in the chat",
    "list": "a choice from a list",
    "location": "a live location",
    "media_placeholder": "a photo or video that can be seen once",
    "order": "an order",
    "pin": "a pinned message",
    "poll_creation": "a poll",
    "poll_update": "a vote in a poll",
    "reaction": "a reaction",
}
"""By what WhatsApp says it was."""


def describe(kind: str, content: Part | None, body: str | None, *, is_outbound: bool) -> Said:
    whole = content or {}
    part = whole.get(kind)
    inner: Part = part if isinstance(part, dict) else {}
    if kind == "text":
        return Said(None, None, body) if body else Said("An empty message", None, None)
    if kind == "interactive" and is_outbound:
        buttons = tuple(_buttons(inner))
        return Said(None if body or buttons else "A message with choices", None, body, buttons=buttons)
    label, icon = KINDS.get(kind, (f"A message of the kind “{kind}”", "alert"))
    named = _NAMED.get(kind)
    detail = detail_of(kind, whole, inner)
    shown = detail if detail != body else None
    return Said((named(inner) if named else None) or label, icon, body, shown, href=map_of(inner))


def summary(kind: str, content: Part | None, body: str | None, *, is_outbound: bool) -> str:
    """One line for the list of conversations."""
    said = describe(kind, content, body, is_outbound=is_outbound)
    return ": ".join(part for part in (said.label, said.text) if part)


def _answered(part: Part) -> str | None:
    if not part:
        return "An answer that came without its content"
    return ANSWERS.get(text_of(part, "type") or "")


def _not_passed_on(part: Part) -> str | None:
    what = UNSUPPORTED.get(text_of(part, "type") or "")
    return f"Something WhatsApp does not pass on: {what}" if what else None


def _noticed(part: Part) -> str | None:
    return (
        "Their security code changed: a new phone, or WhatsApp anew"
        if "identity_changed" in str(part.get("type"))
        else None
    )


_NAMED: Mapping[str, Callable[[Part], str | None]] = {
    "audio": lambda part: "Voice message" if part.get("voice") else None,
    "interactive": _answered,
    "reaction": lambda part: None if part.get("emoji") else "Took back a reaction",
    "sticker": lambda part: "Moving sticker" if part.get("animated") else None,
    "system": _noticed,
    "template": lambda part: f"Template {part['name']}" if isinstance(part.get("name"), str) else None,
    "unsupported": _not_passed_on,
}
"""A better label than that of the kind, where the content has one."""


def _buttons(part: Part) -> Iterator[str]:
    action = part.get("action")
    if not isinstance(action, dict):
        return
    replies = [button.get("reply") for button in listed(action, "buttons") if isinstance(button, dict)]
    sections = [section for section in listed(action, "sections") if isinstance(section, dict)]
    yield from texts_of(replies, "title")
    yield from texts_of([row for section in sections for row in listed(section, "rows")], "title")
    given = action.get("parameters")
    if isinstance(given, dict):
        yield from texts_of([given], "display_text")
        yield from texts_of([given], "flow_cta")
