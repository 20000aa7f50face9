"""Checks of a message body, as strict as the provider's (Cloud API reference, "Messages")."""

from collections.abc import Callable
from typing import Any

from simulator.graph import GraphError
from simulator.interactive import check_interactive

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_CALLBACK_DATA = 512
MAX_URL = 2048

Body = dict[str, Any]


def check_common(body: object) -> Body:
    if not isinstance(body, dict):
        raise GraphError(100, "The body must be a JSON object.")
    if body.get("messaging_product") != "whatsapp":
        raise GraphError(100, "The parameter messaging_product is required.")
    if not body.get("to") and not body.get("recipient"):
        raise GraphError(100, "The parameter to is required.")
    if body.get("recipient_type", "individual") != "individual":
        raise GraphError(100, "Param recipient_type must be one of {INDIVIDUAL}: groups are not simulated.")
    callback = body.get("biz_opaque_callback_data")
    if callback is not None and (not isinstance(callback, str) or len(callback) > MAX_CALLBACK_DATA):
        raise GraphError(100, f"Param biz_opaque_callback_data must be at most {MAX_CALLBACK_DATA} characters long.")
    context = body.get("context")
    if context is not None:
        text_of(member(body, "context"), "message_id", "context")
    return body


def check_content(body: Body) -> str:
    """The type of the message, once its member of that name is what it should be; templates are checked elsewhere."""
    kind = body.get("type", "text")
    if not isinstance(kind, str) or kind not in CHECKS:
        raise GraphError(100, f"Param type must be one of {{{', '.join(sorted(CHECKS)).upper()}}} - got {kind!r}.")
    CHECKS[kind](body, kind)
    return kind


def member(body: Body, name: str) -> Body:
    value = body.get(name)
    if not isinstance(value, dict):
        raise GraphError(100, f"The parameter {name} is required.")
    return value


def text_of(part: Body, name: str, place: str, limit: int = 0) -> str:
    """A required string; raises 100 when it is missing, empty or longer than `limit`."""
    value = part.get(name)
    if not isinstance(value, str) or not value:
        raise GraphError(100, f"The parameter {place}['{name}'] is required.")
    if limit and len(value) > limit:
        raise GraphError(100, f"Param {place}['{name}'] must be at most {limit} characters long.")
    return value


def check_media(asset: object, kind: str) -> None:
    """`asset` as in a message or a template's header: an id or a link, and what may stand beside it."""
    if not isinstance(asset, dict):
        raise GraphError(100, f"The parameter {kind} is required.")
    if bool(asset.get("id")) == bool(asset.get("link")):
        raise GraphError(100, f"Param {kind} must have exactly one of id and link.")
    if "link" in asset:
        link = text_of(asset, "link", kind, MAX_URL)
        if not link.startswith(("http://", "https://")):
            raise GraphError(100, f"Param {kind}['link'] is not a valid URI.")
    for name in asset:
        if name not in {"id", "link"} | MEDIA_EXTRAS[kind]:
            raise GraphError(100, f'Unexpected key "{name}" on param "{kind}".')
    if asset.get("caption") is not None:
        text_of(asset, "caption", kind, MAX_CAPTION)


MEDIA_EXTRAS: dict[str, frozenset[str]] = {
    "image": frozenset({"caption"}),
    "video": frozenset({"caption"}),
    "audio": frozenset({"voice"}),
    "document": frozenset({"caption", "filename"}),
    "sticker": frozenset(),
}


def _check_text(body: Body, _kind: str) -> None:
    text_of(member(body, "text"), "body", "text", MAX_TEXT)


def _check_media_message(body: Body, kind: str) -> None:
    check_media(body.get(kind), kind)


def check_location(body: Body, kind: str = "location") -> None:
    place = member(body, kind)
    for name, reach in (("latitude", 90), ("longitude", 180)):
        try:
            degrees = float(place[name])
        except (KeyError, TypeError, ValueError):
            raise GraphError(100, f"The parameter location['{name}'] is required.") from None
        if not -reach <= degrees <= reach:
            raise GraphError(131009, f"location['{name}'] must be between -{reach} and {reach}.")


def _check_contacts(body: Body, _kind: str) -> None:
    cards = body.get("contacts")
    if not isinstance(cards, list) or not cards:
        raise GraphError(100, "The parameter contacts is required.")
    for position, card in enumerate(cards):
        place = f"contacts[{position}]"
        if not isinstance(card, dict):
            raise GraphError(100, f"Param {place} must be an object.")
        name = member(card, "name")
        text_of(name, "formatted_name", f"{place}['name']")
        if not any(name.get(part) for part in ("first_name", "last_name", "middle_name", "suffix", "prefix")):
            raise GraphError(131009, f"{place}['name'] needs one more member beside formatted_name.")


def _check_reaction(body: Body, _kind: str) -> None:
    reaction = member(body, "reaction")
    text_of(reaction, "message_id", "reaction")
    if not isinstance(reaction.get("emoji"), str):
        raise GraphError(100, "The parameter reaction['emoji'] is required.")


def _check_interactive_message(body: Body, _kind: str) -> None:
    check_interactive(member(body, "interactive"))


def _check_template(body: Body, _kind: str) -> None:
    member(body, "template")


CHECKS: dict[str, Callable[[Body, str], None]] = {
    "text": _check_text,
    "image": _check_media_message,
    "video": _check_media_message,
    "audio": _check_media_message,
    "document": _check_media_message,
    "sticker": _check_media_message,
    "location": check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
    "interactive": _check_interactive_message,
    "template": _check_template,
}
