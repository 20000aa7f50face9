"""Who a webhook speaks of: phones and business-scoped user ids, wherever Meta puts them.

A user id (BSUID) may stand in the fields for phones, a phone may be missing, and a contact belongs to a message by
value, not by position (Meta, "Business-scoped user IDs").
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bot.providers.events import Sender

_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_PHONE = re.compile(r"\+?[0-9 ().-]{1,40}")
_MAX_OPAQUE = 200

Contacts = Mapping[str, Mapping[str, Any]]


class Naming(NamedTuple):
    """The members of an item that name a person."""

    phone: str
    user_ids: tuple[str, ...]
    parent: str


FROM = Naming("from", ("from_user_id", "from_bsuid"), "from_parent_user_id")
"""`from_bsuid` is Turn's word."""
TO = Naming("to", ("to_user_id",), "to_parent_user_id")
OF_CONTACT = Naming("wa_id", ("user_id",), "parent_user_id")


def is_user_id(text: str) -> bool:
    return _USER_ID.fullmatch(text) is not None


def contacts_by_value(value: Mapping[str, Any]) -> Contacts:
    """The value's contacts under each of their identifiers; what is not a contact is left out."""
    found: dict[str, Mapping[str, Any]] = {}
    contacts = value.get("contacts")
    for contact in contacts if isinstance(contacts, list) else ():
        if isinstance(contact, dict):
            found |= dict.fromkeys(_identifiers(contact, OF_CONTACT), contact)
    return found


def person_of(item: Mapping[str, Any], naming: Naming, contacts: Contacts) -> Sender | None:
    """Whom the item names by these members, or None if nothing in it identifies anybody."""
    own = list(_identifiers(item, naming))
    contact = next((contacts[key] for key in own if key in contacts), {})
    candidates = [*own, *_identifiers(contact, OF_CONTACT)]
    phone = next(filter(None, map(digits_of, candidates)), None)
    chosen = next(filter(is_user_id, candidates), None)
    if phone is None and chosen is None:  # a malformed user id, but all there is
        opaque = (*(text_of(item, key) for key in naming.user_ids), text_of(contact, "user_id"))
        chosen = next(filter(None, opaque), None)
    if phone is None and chosen is None:
        return None
    profile = contact.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    username = text_of(profile, "username")
    return Sender(
        phone=phone,
        user_id=chosen,
        parent_user_id=_well_formed(text_of(item, naming.parent) or text_of(contact, OF_CONTACT.parent)),
        name=_name_of(profile),
        username=username.removeprefix("@") or None if username else None,
    )


def recipient_of(status: Mapping[str, Any]) -> str | None:
    """Phone digits or user id; in a group, the participant's, for the recipient is then the group."""
    prefix = "recipient_participant_" if status.get("recipient_type") == "group" else "recipient_"
    told = text_of(status, f"{prefix}id"), text_of(status, f"{prefix}user_id")
    return digits_of(told[0]) or told[0] or told[1]


def digits_of(text: str | None) -> str | None:
    """The digits of a phone, or None if it is not one; any length, since test numbers can be short."""
    if text is None or not _PHONE.fullmatch(text):
        return None
    if text.isdigit():  # as nearly all are; the form lets ASCII only pass
        return text
    return re.sub(r"[^0-9]", "", text) or None


def text_of(item: Mapping[str, Any], key: str) -> str | None:
    """A member as text: numbers count as written, blank and overlong ones as missing."""
    value = item.get(key)
    if value is None:  # the usual case: half of the members asked for are optional
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    text = value.strip() if isinstance(value, str) else ""
    return text if 0 < len(text) <= _MAX_OPAQUE else None


def _identifiers(item: Mapping[str, Any], naming: Naming) -> Iterator[str]:
    """Phone first; phones as digits, so that `+1 650` is found as `1650`."""
    for key in (naming.phone, *naming.user_ids):
        if written := text_of(item, key):
            yield digits_of(written) or written


def _name_of(profile: Mapping[str, Any]) -> str | None:
    name = profile.get("name")
    return name.strip()[:_MAX_OPAQUE].strip() or None if isinstance(name, str) else None


def _well_formed(user_id: str | None) -> str | None:
    return user_id if user_id and is_user_id(user_id) else None
