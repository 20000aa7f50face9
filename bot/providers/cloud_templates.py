"""What the four template fields say, as a change of a template.

Each fact is read by its own member, whatever the field is called: Meta's own sample of a quality update comes as a
status update (Meta, "message_template_status_update" and its neighbours).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.language import Say, later
from bot.providers import cloud_identity as identity
from bot.providers.cloud_items import Entry, Item, ItemError, part_of, sentence, time_or_none, word_of
from bot.providers.events import AccountAlert, Event, Notice, TemplateChange

STATUSES: dict[str, str] = {
    "APPROVED": "APPROVED",
    "REINSTATED": "APPROVED",
    "UNPAUSED": "APPROVED",
    "UNARCHIVED": "APPROVED",
    "REJECTED": "REJECTED",
    "PENDING": "PENDING",
    "IN_APPEAL": "IN_APPEAL",
    "PAUSED": "PAUSED",
    "DISABLED": "DISABLED",
    "LIMIT_EXCEEDED": "LIMIT_EXCEEDED",
    "ARCHIVED": "ARCHIVED",
    "PENDING_DELETION": "PENDING_DELETION",
    "DELETED": "DELETED",
}
"""The event of a status update to the status of the template list. An event that is not here changes no status: were
a template that we cannot send after all, the provider would refuse it, and that pauses its broadcast."""

_NOTES = {
    "FLAGGED": "it is flagged: its quality is low, and it may be disabled soon",
    "LOCKED": "it is locked: it cannot be edited for now",
}
"""Events that leave the status as it is."""

_REASONS = {
    "INVALID_FORMAT": "its format is not valid: look at its variables and examples",
    "INCORRECT_CATEGORY": "its category does not fit what it says",
    "ABUSIVE_CONTENT": "what it says is held to be abusive",
    "PROMOTIONAL": "it is marketing, but not in that category",
    "SCAM": "what it says is held to be a scam",
    "TAG_CONTENT_MISMATCH": "what it says does not fit its language or category",
    "CATEGORY_NOT_AVAILABLE": "its category is not available to this account",
}

_TITLES = {
    "FIRST_PAUSE": "it is paused for the first time, for 3 hours, for its low quality",
    "SECOND_PAUSE": "it is paused for the second time, for 6 hours, for its low quality",
    "RATE_LIMITING_PAUSE": "it is paused until it is known how people take it",
    "DISABLED": "it is disabled for its low quality",
}

_TEXTS = {"BODY": "message_template_element", "FOOTER": "message_template_footer"}
_BUTTON = {"type": "type", "text": "text", "url": "url", "phone_number": "phone_number"}
_MAX_TEXT = 4096
_MAX_REASON = 500
_MAX_NAME = 512


def template_events(at: str, field: str, value: Item, entry: Entry) -> Iterator[Event]:
    """Raises ItemError."""
    name, language = value.get("message_template_name"), word_of(value, "message_template_language")
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME or language is None:
        raise ItemError("message_template_name or message_template_language is missing")
    event = _upper(value, "event") or ""
    status = STATUSES.get(event)
    change = TemplateChange(
        pointer=at,
        account_id=entry.account_id,
        template_id=identity.text_of(value, "message_template_id"),
        name=name,
        language=language.replace("-", "_"),
        status=status,
        quality=_upper(value, "new_quality_score"),
        category=_category_of(value),
        components=components_of(value),
        reason=None if status == "APPROVED" else reason_of(event, value),
        occurred_at=entry.occurred_at,
    )
    if (change.status, change.quality, change.category, change.components, change.reason) == (None,) * 5:
        yield Notice(at, f"{field}.{event}" if event else field, value)
        return
    yield change
    if _upper(value, "correct_category"):
        yield _coming(at, change, value)


def reason_of(event: str, value: Item) -> str | None:
    """Why, in a sentence or a few."""
    word = word_of(value, "reason")
    word = None if word is None or word.upper() == "NONE" else word
    other, rejection = part_of(value, "other_info"), part_of(value, "rejection_info")
    title = word_of(other, "title") or ""
    disabled_on = _date(part_of(value, "disable_info"), "disable_date")
    parts = [
        _NOTES.get(event),
        _REASONS.get(word.upper(), f"the provider says: {word}") if word else None,
        _text(other, "description") or _TITLES.get(title),
        f"it is disabled from {disabled_on}" if disabled_on else None,
        _text(rejection, "reason"),
        _text(rejection, "recommendation"),
    ]
    return " ".join(sentence(part) for part in parts if part)[:_MAX_REASON] or None


def components_of(value: Item) -> dict[str, Any] | None:
    """The new components by type; None if the value holds none."""
    found: dict[str, Any] = {}
    if title := _text(value, "message_template_title"):
        found["HEADER"] = {"format": "TEXT", "text": title}
    found |= {part: {"text": text} for part, key in _TEXTS.items() if (text := _text(value, key))}
    buttons = value.get("message_template_buttons")
    if isinstance(buttons, list) and buttons and all(isinstance(button, dict) for button in buttons):
        # One that cannot be read would shift the others, and they are filled by place: then none is taken.
        found["BUTTONS"] = {"buttons": [_button(button) for button in buttons]}
    return found or None


def _button(button: Mapping[str, Any]) -> dict[str, str]:
    told = {key: _text(button, f"message_template_button_{member}") for key, member in _BUTTON.items()}
    return {key: text.upper() if key == "type" else text for key, text in told.items() if text}


def _coming(at: str, change: TemplateChange, value: Item) -> AccountAlert:
    text = coming_said(value)
    return AccountAlert(at, "template_category_update.coming", "warning", text, value, None, change.occurred_at)


def coming_said(value: Item, say: Say = str) -> str:
    """Of a category that changes soon."""
    when = _date(value, "category_update_timestamp")
    told = {
        "name": value.get("message_template_name"),
        "language": (word_of(value, "message_template_language") or "").replace("-", "_"),
        "category": _category_of(value) or say(later("another")),
        "announced": _upper(value, "correct_category"),
        "when": say(later("on %(day)s")) % {"day": when} if when else say(later("within a day")),
    }
    text = later(
        "The template %(name)s (%(language)s) changes its category from %(category)s to %(announced)s %(when)s: its"
        " price and who may get it change with it."
    )
    return say(text) % told


def _category_of(value: Item) -> str | None:
    return _upper(value, "new_category") or _upper(value, "message_template_category")


def _date(holder: Mapping[str, Any], key: str) -> str | None:
    told = time_or_none(holder, key)
    return f"{told:%Y-%m-%d}" if told else word_of(holder, key)


def _upper(value: Mapping[str, Any], key: str) -> str | None:
    word = word_of(value, key)
    return word.upper() if word else None


def _text(value: Mapping[str, Any], key: str) -> str | None:
    text = value.get(key)
    return text.strip()[:_MAX_TEXT] or None if isinstance(text, str) else None
