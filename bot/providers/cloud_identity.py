"""Who a webhook speaks of: phones and business-scoped user ids, wherever Meta puts them.

A user id (BSUID) may stand in the fields for phones, a phone may be missing, and a contact belongs to a message by
value, not by position (Meta, "Business-scoped user IDs").
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.providers.events import Sender

_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_PHONE = re.compile(r"\+?[0-9 ().-]{1,40}")
_MAX_OPAQUE = 200

Contacts = Mapping[str, Mapping[str, Any]]


def is_user_id(text: str) -> bool:
    return _USER_ID.fullmatch(text) is not None


def contacts_by_value(value: Mapping[str, Any]) -> Contacts:
    """The value's contacts under each of their identifiers; what is not a contact is left out."""
    found: dict[str, Mapping[str, Any]] = {}
    contacts = value.get("contacts")
    for contact in contacts if isinstance(contacts, list) else ():
        if isinstance(contact, dict):
            found |= {key: contact for key in (text_of(contact, "wa_id"), text_of(contact, "user_id")) if key}
    return found


def sender_of(item: Mapping[str, Any], contacts: Contacts) -> Sender | None:
    """The sender of a message, or None if nothing in it identifies anybody."""
    written, user_id = text_of(item, "from"), text_of(item, "from_user_id")
    contact = contacts.get(written or "") or contacts.get(user_id or "") or {}
    candidates = (written, user_id, text_of(contact, "wa_id"), text_of(contact, "user_id"))
    phone = next(filter(None, map(digits_of, candidates)), None)
    chosen = next((c for c in candidates if c and is_user_id(c)), None)
    if phone is None and chosen is None:
        chosen = user_id or text_of(contact, "user_id")  # malformed, but all there is
    if phone is None and chosen is None:
        return None
    profile = contact.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    username = text_of(profile, "username")
    return Sender(
        phone=phone,
        user_id=chosen,
        parent_user_id=_well_formed(text_of(item, "from_parent_user_id") or text_of(contact, "parent_user_id")),
        name=text_of(profile, "name"),
        username=username.removeprefix("@") if username else None,
    )


def recipient_of(status: Mapping[str, Any]) -> str | None:
    return text_of(status, "recipient_id") or text_of(status, "recipient_user_id")


def digits_of(text: str | None) -> str | None:
    """The digits of a phone, or None if it is not one; any length, since test numbers can be short."""
    if text is None or not _PHONE.fullmatch(text):
        return None
    return re.sub(r"[^0-9]", "", text) or None


def text_of(item: Mapping[str, Any], key: str) -> str | None:
    """A member as text: numbers count as written, blank and overlong ones as missing."""
    match item.get(key):
        case bool():
            return None
        case int(number):
            return str(number)
        case str(text) if 0 < len(text.strip()) <= _MAX_OPAQUE:
            return text.strip()
    return None


def _well_formed(user_id: str | None) -> str | None:
    return user_id if user_id and is_user_id(user_id) else None
