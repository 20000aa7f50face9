"""What the account fields say, as an alert with a severity: bans, restrictions, violations, security."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from bot.language import Say, later
from bot.providers import cloud_identity as identity
from bot.providers.cloud_items import Entry, Item, ItemError, part_of, sentence, time_or_none, word_of
from bot.providers.events import AccountAlert, Event

Severity = Literal["info", "warning", "critical"]

_INFO: Final = "info"
_WARNING: Final = "warning"
_CRITICAL: Final = "critical"

UPDATES: dict[str, tuple[Severity, str]] = {
    "ACCOUNT_DELETED": (_CRITICAL, later("the WhatsApp account was deleted")),
    "ACCOUNT_OFFBOARDED": (_CRITICAL, later("the account was taken off the platform")),
    "ACCOUNT_RECONNECTED": (_INFO, later("the account is connected again")),
    "ACCOUNT_RESTRICTION": (_CRITICAL, later("the account is restricted")),
    "ACCOUNT_VIOLATION": (_WARNING, later("the account broke a policy")),
    "AD_ACCOUNT_LINKED": (_INFO, later("an ad account was linked")),
    "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE": (_INFO, later("prices of authentication messages abroad have changed")),
    "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE": (_INFO, later("the business's main country has changed")),
    "DISABLED_UPDATE": (_CRITICAL, later("whether the account is disabled has changed")),
    "DISABLED_UPDATE.DISABLE": (_CRITICAL, later("the account is disabled")),
    "DISABLED_UPDATE.REINSTATE": (_INFO, later("the account may be used again")),
    "DISABLED_UPDATE.SCHEDULE_FOR_DISABLE": (_CRITICAL, later("the account is going to be disabled")),
    "MM_LITE_TERMS_SIGNED": (_INFO, later("the terms of the Marketing Messages API were signed")),
    "PARTNER_ADDED": (_INFO, later("the account was shared with a partner")),
    "PARTNER_APP_INSTALLED": (_INFO, later("a partner's app was given access")),
    "PARTNER_APP_UNINSTALLED": (
        _CRITICAL,
        later("a partner's app lost access: if it is the one in use, nothing can be sent"),
    ),
    "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE": (_INFO, later("the certification by a partner has moved on")),
    "PARTNER_REMOVED": (_CRITICAL, later("a partner lost access: if it is the one in use, nothing can be sent")),
    "VERIFIED_ACCOUNT": (_INFO, later("the account is verified")),
    "VOLUME_BASED_PRICING_TIER_UPDATE": (_INFO, later("the account has reached another price tier")),
}
"""`account_update`: the event, with the state of a ban where there is one. What is not here is a warning."""

_UNKNOWN: tuple[Severity, str] = (_WARNING, later("the account has changed: %(event)s"))

_SECURITY: dict[str, tuple[Severity, str]] = {
    "PIN_CHANGED": (
        _WARNING,
        later("the PIN of a number was changed: if it was none of you, change it and the password"),
    ),
    "PIN_RESET_REQUEST": (
        _WARNING,
        later("somebody asked to switch off the PIN of a number: if it was none of you, refuse"),
    ),
    "PIN_RESET_SUCCESS": (_WARNING, later("the PIN of a number was switched off: set a new one")),
}

_UNKNOWN_SECURITY: tuple[Severity, str] = (
    _WARNING,
    later("something about a number's security has changed: %(event)s"),
)

_SEVERITIES: dict[str, Severity] = {
    "CRITICAL": _CRITICAL,
    "WARNING": _WARNING,
    "INFORMATIONAL": _INFO,
    "INFO": _INFO,
}
"""`account_alerts`: Meta's word to ours. What is not here is a warning."""

_MAX_TEXT = 500


def update_events(at: str, field: str, value: Item, entry: Entry) -> Iterator[Event]:
    """`account_update`; raises ItemError."""
    severity, _ = _update(value)
    yield AccountAlert(at, f"{field}.{_event_of(value)}", severity, update_said(value), value, None, entry.occurred_at)


def update_said(value: Item, say: Say = str) -> str:
    _, text = _update(value)
    particulars = ", ".join(_particulars(value, say))
    told = say(text) % {"event": _event_of(value)}
    return sentence(f"{told} ({particulars})" if particulars else told)


def _update(value: Item) -> tuple[Severity, str]:
    event, state = _event_of(value), word_of(part_of(value, "ban_info"), "waba_ban_state")
    return UPDATES.get(f"{event}.{state}") or UPDATES.get(event) or _UNKNOWN


def alert_events(at: str, field: str, value: Item, entry: Entry) -> Iterator[Event]:
    """`account_alerts`; raises ItemError. Its `alert_info` may also lie open in the value."""
    info = part_of(value, "alert_info") or value
    type_ = word_of(info, "alert_type")
    if type_ is None:
        raise ItemError("alert_type is missing")
    severity = _SEVERITIES.get((word_of(info, "alert_severity") or "").upper(), _WARNING)
    is_number = value.get("entity_type") == "PHONE_NUMBER"
    number_id = identity.text_of(value, "entity_id") if is_number else None
    yield AccountAlert(at, f"{field}.{type_}", severity, alert_said(value), value, number_id, entry.occurred_at)


def alert_said(value: Item, say: Say = str) -> str:
    """In the provider's own words, where it has any."""
    info = part_of(value, "alert_info") or value
    described = info.get("alert_description")
    if isinstance(described, str) and described.strip():
        return sentence(described[:_MAX_TEXT])
    return sentence(say(later("the provider says: %(word)s")) % {"word": word_of(info, "alert_type")})


def security_events(at: str, field: str, value: Item, entry: Entry) -> Iterator[Event]:
    """Raises ItemError."""
    event = _event_of(value)
    severity, _ = _SECURITY.get(event, _UNKNOWN_SECURITY)
    yield AccountAlert(at, f"{field}.{event}", severity, security_said(value), value, None, entry.occurred_at)


def security_said(value: Item, say: Say = str) -> str:
    event = _event_of(value)
    _, text = _SECURITY.get(event, _UNKNOWN_SECURITY)
    return sentence(say(text) % {"event": event})


def _event_of(value: Item) -> str:
    event = word_of(value, "event")
    if event is None:
        raise ItemError("event is missing")
    return event


def _particulars(value: Item, say: Say) -> Iterator[str]:
    """What exactly: the violation, the ban's date, each restriction with its end."""
    if violation := word_of(part_of(value, "violation_info"), "violation_type"):
        yield violation
    if banned_on := identity.text_of(part_of(value, "ban_info"), "waba_ban_date"):
        yield banned_on
    told = value.get("restriction_info")
    for restriction in told if isinstance(told, list) else [told]:
        if isinstance(restriction, Mapping) and (type_ := word_of(restriction, "restriction_type")):
            end = time_or_none(restriction, "expiration")
            yield say(later("%(what)s until %(day)s")) % {"what": type_, "day": f"{end:%Y-%m-%d}"} if end else type_
