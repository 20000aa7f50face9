"""What the number and capability fields say: quality, tier, throughput and name of business numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.language import Say, later
from bot.providers import cloud_identity as identity
from bot.providers.cloud_items import Entry, Item, ItemError, sentence, word_of
from bot.providers.events import AccountAlert, Event, NumberChange

_QUALITIES = {"FLAGGED": "RED", "UNFLAGGED": "UNKNOWN"}
"""The event of a quality update to the quality; a number that is no longer flagged may be yellow or green."""
_THROUGHPUTS = {"THROUGHPUT_UPGRADE": "HIGH"}
"""As the Graph API's `throughput.level` writes it."""
_WORSE = {
    "FLAGGED": later("The quality of a number is low: people block or report it, and its limit may fall"),
    "DOWNGRADE": later("A number may write to fewer new people a day than before"),
}

_PER_DAY = "max_daily_conversations_per_business"
_TIERS = (_PER_DAY, "current_limit", "max_daily_conversation_per_phone")
"""Where a tier may stand, the newest name first."""
_NOT_SET = frozenset({"TIER_NOT_SET", "TIER_0"})
_UNLIMITED = "TIER_UNLIMITED"


def quality_events(at: str, field: str, value: Item, entry: Entry) -> Iterator[Event]:
    """`phone_number_quality_update`; raises ItemError."""
    display, event = _named(value), word_of(value, "event")
    if event is None and tier_of(value) is None:
        raise ItemError("event is missing")
    tier = tier_of(value)
    yield NumberChange(
        pointer=at,
        number_id=None,
        display_number=display,
        quality=_QUALITIES.get(event or ""),
        tier=tier,
        throughput=_THROUGHPUTS.get(event or ""),
        event=event,
        occurred_at=entry.occurred_at,
    )
    if event in _WORSE:
        text = quality_said(value)
        yield AccountAlert(at, f"{field}.{event}", "warning", text, value, None, entry.occurred_at)


def quality_said(value: Item, say: Say = str) -> str:
    """Of those of _WORSE; raises KeyError."""
    tier = tier_of(value)
    return sentence(f"{say(_WORSE[word_of(value, 'event') or ''])}{f': {tier}' if tier else ''}")


def name_events(at: str, field: str, value: Item, entry: Entry) -> Iterator[Event]:
    """`phone_number_name_update`; raises ItemError."""
    display, decision = _named(value), word_of(value, "decision")
    if decision is None:
        raise ItemError("decision is missing")
    name = identity.text_of(value, "requested_verified_name")
    is_approved = decision == "APPROVED"
    event = f"NAME_{decision}"
    yield NumberChange(
        at, None, display, name=name if is_approved else None, event=event, occurred_at=entry.occurred_at
    )
    if decision == "REJECTED":
        text = name_said(value)
        yield AccountAlert(at, f"{field}.{decision}", "warning", text, value, None, entry.occurred_at)


def name_said(value: Item, say: Say = str) -> str:
    """Of one that was rejected."""
    name, reason = identity.text_of(value, "requested_verified_name"), word_of(value, "rejection_reason")
    told = f": {reason}" if reason and reason.upper() != "NONE" else ""
    if not name:
        return say(later("The display name of a number was rejected%(why)s. Ask for another one.")) % {"why": told}
    said = say(later("The display name %(name)s was rejected%(why)s. Ask for another one."))
    return said % {"name": name, "why": told}


def capability_events(at: str, field: str, value: Item, entry: Entry) -> Iterator[Event]:
    """`business_capability_update` is about every number of the account."""
    tier = tier_of(value)
    if tier is not None:
        yield NumberChange(at, None, None, tier=tier, event="CAPABILITY_UPDATE", occurred_at=entry.occurred_at)
    yield AccountAlert(at, field, "info", capability_said(value), value, None, entry.occurred_at)


def capability_said(value: Item, say: Say = str) -> str:
    tier = tier_of(value)
    if tier is None:
        return say(later("What the account may do has changed."))
    return say(later("The numbers of the account now have %(tier)s.")) % {"tier": tier}


def tier_of(value: Mapping[str, Any]) -> str | None:
    """TIER_250, TIER_2K, TIER_UNLIMITED, …, from that word, with or without `TIER_`, or from a plain number."""
    written = next(filter(None, (identity.text_of(value, key) for key in _TIERS)), None)
    if written is None:
        return None
    count = written.lstrip("-")
    if count.isdecimal():
        if written.startswith("-"):
            return _UNLIMITED
        thousands, rest = divmod(int(count), 1000)
        written = f"{thousands}K" if thousands and not rest else str(int(count))
    word = written.upper()
    tier = word if word.startswith("TIER_") else f"TIER_{word}"
    return None if tier in _NOT_SET else tier


def _named(value: Item) -> str:
    display = identity.digits_of(identity.text_of(value, "display_phone_number"))
    if display is None:
        raise ItemError("display_phone_number is missing")
    return display
