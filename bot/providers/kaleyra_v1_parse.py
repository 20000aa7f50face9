"""A callback of Kaleyra V1, put into the Cloud API's shape and read as that (Kaleyra, "Callback profiles").

Its format is the customer's: a query, a form or JSON of flat members, any of which may be missing or still be its
placeholder, such as `<body>`. One callback tells one thing.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from bot.providers import cloud_json, form
from bot.providers.cloud_identity import digits_of, text_of
from bot.providers.cloud_items import Item, ItemError, Surroundings, time_of
from bot.providers.cloud_messages import message_event
from bot.providers.cloud_statuses import status_event
from bot.providers.events import ONLY_NUMBER, Event, StatusUpdate, Unreadable
from bot.providers.kaleyra_answers import bare

_PLACEHOLDER = re.compile(
    "<(?:body|contacts|created_at|custom_response|from|id|location|media_url|message|mime_type|mobile|name|ref[12]?"
    "|reply_to|status|type|wanumber)>"
)
_PLACE = re.compile(r"\s*(-?[0-9]{1,3}(?:\.[0-9]+)?)\s*,\s*(-?[0-9]{1,3}(?:\.[0-9]+)?)\s*")

_STATUSES = {"0": "failed", "not-sent": "failed"}
"""Kaleyra's words that are not Meta's."""


def read(body: bytes, headers: Mapping[str, str]) -> Event:
    """Never raises."""
    try:
        members = _members(body)
    except cloud_json.UnreadableBodyError as error:
        return Unreadable("", str(error))
    try:
        return _status(members, headers) if "status" in members else _message(members, headers)
    except ValueError as error:
        return Unreadable("", str(error), members if cloud_json.is_storable(members) else None)


def _members(body: bytes) -> Item:
    """What is there; raises UnreadableBodyError."""
    told: Any = cloud_json.read(body) if body.lstrip().startswith((b"{", b"[")) else form.fields(body)
    if not isinstance(told, dict):
        raise cloud_json.UnreadableBodyError("the body is not a JSON object")
    return {key: value for key, value in told.items() if not (isinstance(value, str) and _is_blank(value))}


def _is_blank(value: str) -> bool:
    return not value.strip() or _PLACEHOLDER.fullmatch(value.strip()) is not None


def _status(members: Item, headers: Mapping[str, str]) -> Event:
    """It tells no time, and no number unless the customer's format does."""
    word = text_of(members, "status") or ""
    item = {
        "id": bare(text_of(members, "id") or ""),
        "status": _STATUSES.get(word.lower(), word.lower()),
        "timestamp": form.received_at(headers),
        "biz_opaque_callback_data": text_of(members, "ref"),
    }
    event = status_event("", item, _around(members))
    if isinstance(event, StatusUpdate) and event.status == "failed":
        return replace(event, error_text=f"Kaleyra gives no reason, it says {word}")
    return event


def _message(members: Item, headers: Mapping[str, str]) -> Event:
    sender = text_of(members, "from")
    if sender is None:
        raise ItemError("from is missing: no status and no message can be made of it")
    kind = text_of(members, "type") or "text"
    reply_to = text_of(members, "reply_to")
    item = {
        "id": _made_id(members),
        "from": sender,
        "timestamp": _created_at(members) or form.received_at(headers),
        "type": kind,
        **({kind: _PARTS[kind](members)} if kind in _PARTS else {}),
        **({"context": {"id": bare(reply_to)}} if reply_to else {}),
    }
    return message_event("", item, _around(members))


def _created_at(members: Item) -> float | None:
    return time_of(members, "created_at").timestamp() if "created_at" in members else None


def _made_id(members: Item) -> str:
    """The same message sent again has the same id; two that differ in nothing within a second count as one."""
    told = [text_of(members, key) for key in ("wanumber", "from", "created_at", "type")]
    told += [members.get(key) for key in ("body", "media_url", "location", "contacts") if key in members]
    try:
        return "sha256:" + hashlib.sha256(orjson.dumps(told)).hexdigest()
    except TypeError:
        raise ItemError("it is nested too deeply or holds a number beyond 64 bits") from None


def _around(members: Item) -> Surroundings:
    number, sender = digits_of(text_of(members, "wanumber")), text_of(members, "from")
    named = digits_of(sender) or sender
    name = text_of(members, "name")
    contacts = {named: {"profile": {"name": name}}} if named and name else {}
    return Surroundings(number or ONLY_NUMBER, number, contacts)


def _media(members: Item) -> Item:
    renamed = {"url": "media_url", "mime_type": "mime_type", "caption": "body"}
    return {key: members[name] for key, name in renamed.items() if name in members}


def _location(members: Item) -> object:
    """JSON, or latitude and longitude with a comma between."""
    told = _document(members.get("location"))
    place = _PLACE.fullmatch(told) if isinstance(told, str) else None
    return {"latitude": float(place[1]), "longitude": float(place[2])} if place else told


def _button(members: Item) -> Item:
    text = members.get("body") or members.get("custom_response")
    return {"text": text, "payload": members.get("custom_response") or text}


def _tap(members: Item) -> Item:
    button = _button(members)
    return {"type": "button_reply", "button_reply": {"id": button["payload"], "title": button["text"]}}


def _document(value: object) -> object:
    try:
        return cloud_json.read(value.encode()) if isinstance(value, str) else value
    except cloud_json.UnreadableBodyError:
        return value


_PARTS: dict[str, Callable[[Item], object]] = {
    "text": lambda members: {"body": members.get("body")},
    **dict.fromkeys(("image", "video", "audio", "voice", "document", "sticker"), _media),
    "location": _location,
    "contacts": lambda members: _document(members.get("contacts")),
    "button": _button,
    "interactive": _tap,
    "reaction": lambda members: {"message_id": bare(text_of(members, "reply_to") or ""), "emoji": members.get("body")},
}
