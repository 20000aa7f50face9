"""A webhook body of the Cloud API as events; a pure function that never raises (Meta, "Webhooks reference").

Items are told apart one by one: a bad one becomes an Unreadable with its JSON pointer, and its neighbours stay whole.
"""

from collections.abc import Callable, Iterator
from typing import Any

from bot.providers import cloud_identity as identity
from bot.providers import cloud_items, cloud_json
from bot.providers.cloud_items import Item, Surroundings
from bot.providers.events import Event, Notice, Unreadable

OBJECT = "whatsapp_business_account"
_FIELD_LENGTH = 64

Reader = Callable[[str, Item, Surroundings], Event]


def parse(body: bytes) -> list[Event]:
    try:
        document = cloud_json.read(body)
    except cloud_json.UnreadableBodyError as error:
        return [Unreadable("", str(error))]
    if not isinstance(document, dict):
        return [Unreadable("", "the body is not a JSON object")]
    if document.get("object", OBJECT) != OBJECT:
        return [Notice("/object", "object", {})]
    return list(_events_of_document(document))


def _events_of_document(document: Item) -> Iterator[Event]:
    for entry_at, entry in _members(document, "entry", ""):
        if isinstance(entry, Unreadable):
            yield entry
            continue
        for change_at, change in _members(entry, "changes", entry_at):
            if isinstance(change, Unreadable):
                yield change
            else:
                yield from _events_of_change(change_at, change)


def _events_of_change(at: str, change: Item) -> Iterator[Event]:
    value, named = change.get("value"), change.get("field")
    field = named[:_FIELD_LENGTH] if isinstance(named, str) else "without a name"
    if not isinstance(value, dict):
        yield Unreadable(at, "value is not an object", _kept(change))
    elif field == "messages":
        yield from _conversational(f"{at}/value", value)
    elif field == "user_id_update":
        yield from _read_each(f"{at}/value", value, "user_id_update", cloud_items.user_id_event)
    else:
        yield Notice(at, field, _kept(value) or {})


def _conversational(at: str, value: Item) -> Iterator[Event]:
    if "messages" in value:
        yield from _read_each(at, value, "messages", cloud_items.message_event)
    if "statuses" in value:
        yield from _read_each(at, value, "statuses", cloud_items.status_event)
    if "errors" in value or not ("messages" in value or "statuses" in value):
        yield Notice(at, "messages", _kept({key: value[key] for key in ("errors",) if key in value}) or {})


def _read_each(at: str, value: Item, key: str, read: Reader) -> Iterator[Event]:
    around = _surroundings(value)
    if around is None:
        yield Unreadable(at, "metadata.phone_number_id is missing", _kept(value))
        return
    for place, item in _members(value, key, at):
        if isinstance(item, Unreadable):
            yield item
            continue
        try:
            yield read(place, item, around)
        except ValueError as error:
            yield Unreadable(place, str(error), _kept(item))


def _members(parent: Item, key: str, at: str) -> Iterator[tuple[str, Item | Unreadable]]:
    members = parent.get(key)
    place = f"{at}/{key}"
    if not isinstance(members, list):
        yield place, Unreadable(place, f"{key} is not a list", _kept(parent))
        return
    for index, member in enumerate(members):
        spot = f"{place}/{index}"
        yield spot, member if isinstance(member, dict) else Unreadable(spot, "it is not an object")


def _surroundings(value: Item) -> Surroundings | None:
    metadata = value.get("metadata")
    number_id = identity.text_of(metadata, "phone_number_id") if isinstance(metadata, dict) else None
    if number_id is None or not isinstance(metadata, dict):
        return None
    own = identity.digits_of(identity.text_of(metadata, "display_phone_number"))
    return Surroundings(number_id, own, identity.contacts_by_value(value))


def _kept(item: dict[str, Any]) -> dict[str, Any] | None:
    return item if cloud_json.is_storable(item) else None
