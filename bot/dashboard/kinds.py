"""Every kind of message in words, so that a thread can be read without pictures, and nothing in it is blank."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bot.dashboard.details import ANSWERS, Part, detail_of, listed, map_of, text_of, texts_of
from bot.language import _, later, translated

DELETED = later("A deleted message")


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
    "image": (later("Photo"), "photo"),
    "video": (later("Video"), "photo"),
    "audio": (later("Audio"), "voice"),
    "voice": (later("Voice message"), "voice"),
    "document": (later("Document"), "file"),
    "sticker": (later("Sticker"), "photo"),
    "location": (later("Location"), "place"),
    "contacts": (later("Contact card"), "team"),
    "button": (later("Tapped a button"), None),
    "interactive": (later("Chose"), None),
    "reaction": (later("Reacted"), None),
    "order": (later("Order"), "file"),
    "system": (later("Notice from WhatsApp"), "alert"),
    "template": (later("Template"), None),
    "hsm": (later("Template"), None),
    "ephemeral": (later("A disappearing message, which WhatsApp does not pass on"), "alert"),
    "request_welcome": (later("Opened the chat for the first time"), None),
    "unsupported": (later("A kind of message WhatsApp does not pass on"), "alert"),
    "unknown": (later("A message that came without its content"), "alert"),
}

UNSUPPORTED: Mapping[str, str] = {
    "button": later("a tapped button"),
    "edit": later("an edit of an earlier message"),
    "gif": later("a GIF"),
    "group_invite": later("an invitation to a group"),
    "interactive": later("an answer to a choice"),
    "keep_in_chat": later("a message kept in the chat"),
    "list": later("a choice from a list"),
    "location": later("a live location"),
    "media_placeholder": later("a photo or video that can be seen once"),
    "order": later("an order"),
    "pin": later("a pinned message"),
    "poll_creation": later("a poll"),
    "poll_update": later("a vote in a poll"),
    "reaction": later("a reaction"),
}
"""By what WhatsApp says it was."""


def describe(kind: str, content: Part | None, body: str | None, *, is_outbound: bool) -> Said:
    whole = content or {}
    part = whole.get(kind)
    inner: Part = part if isinstance(part, dict) else {}
    if kind == "text":
        return Said(None, None, body) if body else Said(_("An empty message"), None, None)
    if kind == "interactive" and is_outbound:
        buttons = tuple(_buttons(inner))
        return Said(None if body or buttons else _("A message with choices"), None, body, buttons=buttons)
    label, icon = KINDS.get(kind) or (_("A message of the kind “%(kind)s”", kind=kind), "alert")
    named = _NAMED.get(kind)
    detail = detail_of(kind, whole, inner)
    shown = detail if detail != body else None
    return Said((named(inner) if named else None) or translated(label), icon, body, shown, href=map_of(inner))


def summary(kind: str, content: Part | None, body: str | None, *, is_outbound: bool) -> str:
    """One line for the list of conversations."""
    said = describe(kind, content, body, is_outbound=is_outbound)
    return ": ".join(part for part in (said.label, said.text) if part)


def _answered(part: Part) -> str | None:
    if not part:
        return _("An answer that came without its content")
    told = ANSWERS.get(text_of(part, "type") or "")
    return told and translated(told)


def _not_passed_on(part: Part) -> str | None:
    what = UNSUPPORTED.get(text_of(part, "type") or "")
    return _("Something WhatsApp does not pass on: %(what)s", what=translated(what)) if what else None


def _noticed(part: Part) -> str | None:
    return (
        _("Their security code changed: a new phone, or WhatsApp anew")
        if "identity_changed" in str(part.get("type"))
        else None
    )


_NAMED: Mapping[str, Callable[[Part], str | None]] = {
    "audio": lambda part: _("Voice message") if part.get("voice") else None,
    "interactive": _answered,
    "reaction": lambda part: None if part.get("emoji") else _("Took back a reaction"),
    "sticker": lambda part: _("Moving sticker") if part.get("animated") else None,
    "system": _noticed,
    "template": lambda part: _("Template %(name)s", name=part["name"]) if isinstance(part.get("name"), str) else None,
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
