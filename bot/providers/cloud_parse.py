"""A webhook body of the Cloud API as events; a pure function that never raises (Meta, "Webhooks reference").

Items are told apart one by one: a bad one becomes an Unreadable with its JSON pointer, and its neighbours stay whole.
"""

from collections.abc import Callable, Iterable, Iterator

from bot.providers import cloud_identity as identity
from bot.providers import cloud_json
from bot.providers.cloud_account import alert_events, security_events, update_events
from bot.providers.cloud_items import Entry, Item, Surroundings, demand_storable, part_of, time_or_none
from bot.providers.cloud_messages import echo_event, message_event
from bot.providers.cloud_numbers import capability_events, name_events, quality_events
from bot.providers.cloud_people import preference_event, user_id_event
from bot.providers.cloud_statuses import error_event, status_event
from bot.providers.cloud_templates import template_events
from bot.providers.events import Event, Notice, Unreadable

OBJECT = "whatsapp_business_account"
_FIELD_LENGTH = 64

Reader = Callable[[str, Item, Surroundings], Event]
AccountReader = Callable[[str, str, Item, Entry], Iterable[Event]]

LISTS: dict[str, dict[str, Reader]] = {
    "messages": {"messages": message_event, "statuses": status_event, "errors": error_event},
    "smb_message_echoes": {"message_echoes": echo_event, "errors": error_event},
    "user_id_update": {"user_id_update": user_id_event},
    "user_preferences": {"user_preferences": preference_event},
}
"""The fields about one business number: which lists their values hold, and what reads an item of each."""

OF_ACCOUNT: dict[str, AccountReader] = {
    "message_template_status_update": template_events,
    "message_template_quality_update": template_events,
    "message_template_components_update": template_events,
    "template_category_update": template_events,
    "phone_number_quality_update": quality_events,
    "phone_number_name_update": name_events,
    "business_capability_update": capability_events,
    "account_update": update_events,
    "account_alerts": alert_events,
    "security": security_events,
}
"""The fields about the account: what reads a value. A field in neither table is a notice (history, flows, calls, …)."""


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
    for entry_at, item in _members(document, "entry", ""):
        if isinstance(item, Unreadable):
            yield item
            continue
        entry = Entry(identity.text_of(item, "id") or "", time_or_none(item, "time"))
        for change_at, change in _members(item, "changes", entry_at):
            if isinstance(change, Unreadable):
                yield change
            else:
                yield from events_of_change(change_at, change, entry)


def events_of_change(at: str, change: Item, entry: Entry) -> Iterator[Event]:
    value, named = change.get("value"), change.get("field")
    if not isinstance(value, dict):
        yield Unreadable(at, "value is not an object", _kept(change))
        return
    named = named if isinstance(named, str) else value.get("field")
    field = named[:_FIELD_LENGTH] if isinstance(named, str) and named else "without a name"
    at_value = f"{at}/value"
    if field in OF_ACCOUNT:
        yield from _of_account(at_value, field, value, entry)
    elif field not in LISTS:
        yield Notice(at, field, _kept(value) or {})
    elif around := surroundings_of(value):
        yield from events_of_value(at_value, field, value, around)
    else:
        yield Unreadable(at_value, "metadata.phone_number_id is missing", _kept(value))


def _of_account(at: str, field: str, value: Item, entry: Entry) -> Iterator[Event]:
    inner = value.get("value")  # some senders put the whole change into the value
    told = inner if isinstance(inner, dict) and "event" not in value else value
    try:
        demand_storable(value)
        yield from list(OF_ACCOUNT[field](at, field, told, entry))
    except ValueError as error:
        yield Unreadable(at, str(error), _kept(value))


def events_of_value(at: str, field: str, value: Item, around: Surroundings) -> Iterator[Event]:
    """What a value of one of LISTS says; Turn's and on-premises bodies are a value of `messages` without envelope."""
    there = [key for key in LISTS[field] if key in value]
    for key in there:
        yield from _read_each(at, value, key, LISTS[field][key], around)
    if not there:
        yield Notice(at, field, {})


def surroundings_of(value: Item) -> Surroundings | None:
    """None if the value does not name its business number."""
    metadata = part_of(value, "metadata")
    number_id = identity.text_of(metadata, "phone_number_id")
    if number_id is None:
        return None
    own = identity.digits_of(identity.text_of(metadata, "display_phone_number"))
    return Surroundings(number_id, own, identity.contacts_by_value(value))


def _read_each(at: str, value: Item, key: str, read: Reader, around: Surroundings) -> Iterator[Event]:
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


def _kept(item: Item) -> Item | None:
    return item if cloud_json.is_storable(item) else None
