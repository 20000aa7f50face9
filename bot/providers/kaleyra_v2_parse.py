"""A callback of Kaleyra V2: a change of Meta's as `meta_object`, and beside it what Kaleyra knows better.

The wamid of a status stands outside of it (inside is an id of Kaleyra's own), as do our mark (`ref`) and the link of a
file that Kaleyra has copied (Kaleyra, "WhatsApp API V2 configuration for callback").
"""

from collections.abc import Mapping
from typing import Any

from bot.providers import cloud_json
from bot.providers.cloud_identity import digits_of, text_of
from bot.providers.cloud_items import Entry, Item, part_of
from bot.providers.cloud_kinds import MEDIA_KINDS
from bot.providers.cloud_parse import events_of_change
from bot.providers.events import Event, Unreadable

Part = Mapping[str, Any]


def parse(body: bytes) -> list[Event]:
    """Never raises."""
    try:
        document: Any = cloud_json.read(body)
    except cloud_json.UnreadableBodyError as error:
        return [Unreadable("", str(error))]
    if not isinstance(document, dict):
        return [Unreadable("", "the body is not a JSON object")]
    change, extra = document.get("meta_object"), part_of(document, "extra_info")
    if not isinstance(change, dict):
        return [Unreadable("/meta_object", "it is missing or not an object", _kept(document))]
    if isinstance(change.get("value"), dict):
        change = {**change, "value": _value(document, extra, change["value"])}
    entry = Entry(text_of(extra, "waba_id") or "", None)
    return list(events_of_change("/meta_object", change, entry))


def _value(document: Part, extra: Part, value: Item) -> Item:
    """As Meta would have written it: the number by the id we know it by, statuses by their wamid."""
    told = dict(value)
    metadata = part_of(value, "metadata")
    if number := digits_of(text_of(metadata, "display_phone_number")):
        told["metadata"] = {**metadata, "phone_number_id": number}
    match value.get("statuses"):
        case [{} as status]:
            told["statuses"] = [_status(document, extra, status)]
    match value.get("messages"):
        case [{} as message]:
            told["messages"] = [_message(extra, message)]
    return told


def _status(document: Part, extra: Part, status: Item) -> Item:
    wamid = text_of(document, "message_id") or text_of(extra, "message_id")
    mark = text_of(extra, "ref") or text_of(document, "ref")
    return {**status, **({"id": wamid} if wamid else {}), **({"biz_opaque_callback_data": mark} if mark else {})}


def _message(extra: Part, message: Item) -> Item:
    kind, link = text_of(message, "type"), extra.get("media_url")
    if kind not in MEDIA_KINDS or not isinstance(link, str) or not isinstance(message.get(kind), dict):
        return message
    return {**message, kind: {**message[kind], "url": link}}


def _kept(item: Item) -> Item | None:
    return item if cloud_json.is_storable(item) else None
