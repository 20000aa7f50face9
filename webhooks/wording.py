"""An event in a few words, for the log; they may hold anything a person or a provider wrote."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.language import _
from bot.providers import events
from bot.providers.events import Event

_TEXT = 80


def describe(event: Event) -> str:
    said = WORDS[type(event)](event)
    return said if len(said) <= _TEXT else f"{said[:_TEXT]}…"


def _joined(*parts: str | None, by: str = " ") -> str:
    return by.join(part for part in parts if part)


WORDS: Mapping[type, Callable[[Any], str]] = {
    events.InboundMessage: lambda one: _joined(one.kind, one.body, by=": "),
    events.Echo: lambda one: _joined(one.kind, one.body, by=": "),
    events.MessageEdit: lambda one: _joined(_("now reads"), one.body or one.kind, by=": "),
    events.MessageRevoke: lambda _one: _("deleted for everybody"),
    events.ReactionChange: lambda one: one.emoji or _("reaction taken back"),
    events.IdentityChange: lambda one: one.body or _("moved to another number or user id"),
    events.PreferenceChange: lambda one: _joined(one.category, one.value, by=": "),
    events.StatusUpdate: lambda one: _joined(one.status, one.error_text, by=": "),
    events.TemplateChange: lambda one: _joined(one.name, one.language, one.status, one.quality, one.category),
    events.NumberChange: lambda one: _joined(one.event, one.quality, one.tier, one.throughput, one.name) or "number",
    events.AccountAlert: lambda one: one.text,
    events.Notice: lambda one: one.field,
    events.Unreadable: lambda _one: _("cannot be read"),
}
