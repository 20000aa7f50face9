"""The small print of a message: what a card, a form, an order or an error holds, in one line."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from bot.language import later, translated

Part = Mapping[str, Any]

_LONGEST = 500

ANSWERS: Mapping[str, str] = {
    "button_reply": later("Chose"),
    "list_reply": later("Chose from a list"),
    "nfm_reply": later("Filled in a form"),
    "call_permission_reply": later("Answered whether you may call"),
}
"""What a person can do with an interactive message, by its `type`."""

PERMISSIONS: Mapping[str, str] = {"accept": later("Yes, you may call"), "reject": later("No calls, please")}


def detail_of(kind: str, whole: Part, part: Part) -> str | None:
    """`whole` is the message's content, `part` what is in it under the name of its kind."""
    return _DETAILS.get(kind, _file_name)(whole, part)


def listed(part: Part, key: str) -> list[Any]:
    found = part.get(key)
    return found if isinstance(found, list) else []


def text_of(part: Part, key: str) -> str | None:
    found = part.get(key)
    return found if isinstance(found, str) and found else None


def texts_of(items: Iterable[Any], key: str) -> Iterator[str]:
    return (text for item in items if isinstance(item, dict) and (text := text_of(item, key)))


def _file_name(_: Part, part: Part) -> str | None:
    return text_of(part, "filename")


def _place(_: Part, part: Part) -> str | None:
    return f"{part['latitude']}, {part['longitude']}" if "latitude" in part and "longitude" in part else None


def map_of(part: Part) -> str | None:
    """A map of a place; None unless its latitude and longitude are numbers of this earth."""
    try:
        latitude, longitude = float(part["latitude"]), float(part["longitude"])
    except (KeyError, TypeError, ValueError):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # what is no number at all is in no range either
        return None
    where = f"{latitude:.6f}/{longitude:.6f}"
    return f"https://www.openstreetmap.org/?mlat={latitude:.6f}&mlon={longitude:.6f}#map=16/{where}"


def _cards(whole: Part, _: Part) -> str | None:
    cards = [card for card in listed(whole, "contacts") if isinstance(card, dict)]
    found = [text for card in cards for key in ("phone", "email") for text in texts_of(listed(card, f"{key}s"), key)]
    return _joined(found)


def _ordered(_: Part, part: Part) -> str | None:
    items = [item for item in listed(part, "product_items") if isinstance(item, dict)]
    return _joined(
        f"{item.get('quantity', 1)}x {item.get('product_retailer_id', '?')}"
        f" at {item.get('item_price', '?')} {item.get('currency', '')}".strip()
        for item in items
    )  # fmt: skip


def _answer(_: Part, part: Part) -> str | None:
    for kind in ANSWERS:
        reply = part.get(kind)
        if isinstance(reply, dict):
            return text_of(reply, "description") or _permission(text_of(reply, "response")) or _form(reply)
    return None


def _permission(response: str | None) -> str | None:
    told = PERMISSIONS.get(response or "")
    return told and translated(told)


def _form(reply: Part) -> str | None:
    """The fields of a form, which come as JSON in a text; `flow_token` is for machines."""
    written = text_of(reply, "response_json")
    try:
        fields = orjson.loads(written) if written else None
    except orjson.JSONDecodeError:
        return written
    if not isinstance(fields, dict):
        return written
    return _joined(f"{name}: {value}" for name, value in fields.items() if name != "flow_token")


def _trouble(whole: Part, _: Part) -> str | None:
    """What WhatsApp says about why there is no content."""
    for error in listed(whole, "errors"):
        if isinstance(error, dict):
            data = error.get("error_data")
            details = text_of(data, "details") if isinstance(data, dict) else None
            return details or text_of(error, "message") or text_of(error, "title")
    return None


def _joined(texts: Iterable[str]) -> str | None:
    return ", ".join(texts)[:_LONGEST] or None


_DETAILS: Mapping[str, Callable[[Part, Part], str | None]] = {
    "contacts": _cards,
    "interactive": _answer,
    "location": _place,
    "order": _ordered,
    "unknown": _trouble,
    "unsupported": _trouble,
}
"""From the whole content and the kind's own part."""
