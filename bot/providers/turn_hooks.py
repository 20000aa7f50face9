"""A body of Turn.io's webhooks as events: what people said, and what left the number at Turn's side.

Turn repeats every outbound message to the subscription `turn`, in the form it was sent in: also those that we sent.
Nothing in such a body tells ours from another program's, and the repetition may come before the answer that tells us
our message's id. So only what Turn says a person or a journey of its own wrote becomes a message: an operator's, or
whatever comes by `journey_outbound`. What a program wrote (SYSTEM), or nobody is named for, is a Notice; if it was ours
its row is there already, and its statuses come by id in any case.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from bot.providers import cloud_json, legacy
from bot.providers.base import RECEIVED_AT
from bot.providers.cloud_identity import text_of
from bot.providers.cloud_items import Item, Surroundings, part_of
from bot.providers.cloud_messages import echo_event
from bot.providers.events import Echo, Event, Notice, Unreadable

SUBSCRIPTION = "x-turn-hook-subscription"
MESSAGE_ID = "x-whatsapp-id"
EVENT = "x-turn-event"

_OUTBOUND = frozenset({"turn", "journey_outbound"})
_LISTS = frozenset({"messages", "statuses", "errors"})
_PROGRAMS = frozenset({"SYSTEM", "OWNER"})
"""OWNER is the person whose thread it is, who sends nothing out."""
_OF_TURN = frozenset({"_vnd", "recipient", "recipient_type", "preview_url"})


def events_of(document: Item, headers: Mapping[str, str]) -> Iterator[Event]:
    """`headers` by lower-case name."""
    if headers.get(EVENT):
        yield Notice("", "turn.event", _kept(document) or {})
    elif headers.get(SUBSCRIPTION) in _OUTBOUND and not _LISTS & document.keys():
        told = {"id": headers[MESSAGE_ID]} if MESSAGE_ID in headers else {}
        yield _sent("", told | document, headers, legacy.surroundings_of(document))
    else:
        yield from _told(document, headers)


def _told(document: Item, headers: Mapping[str, str]) -> Iterator[Event]:
    """The lists of a body; an item of `messages` that says it went out is told like a repeated one."""
    messages = document.get("messages")
    listed = messages if isinstance(messages, list) else []
    sent = {f"/messages/{place}": item for place, item in enumerate(listed) if _went_out(item, headers)}
    around = legacy.surroundings_of(document)
    plain = document | {"messages": [_plain(item) for item in listed]} if listed else document
    for event in legacy.events_of(plain):
        outbound = sent.get(event.pointer)
        yield event if outbound is None else _sent(event.pointer, outbound, headers, around)


def _went_out(item: object, headers: Mapping[str, str]) -> bool:
    if not isinstance(item, dict):
        return False
    direction = _about(item).get("direction")
    return direction == "outbound" or (headers.get(SUBSCRIPTION) in _OUTBOUND and direction != "inbound")


def _sent(at: str, item: Item, headers: Mapping[str, str], around: Surroundings) -> Event:
    author = _author_of(item, headers)
    if author is None:
        return Notice(at, "turn.outbound", {})
    try:
        event = legacy.located(echo_event(at, _as_echo(item, headers), around, author=author))
    except ValueError as error:
        return Unreadable(at, str(error), _kept(item))
    rendered = _about(item).get("rendered_content")
    if isinstance(event, Echo) and event.body is None and isinstance(rendered, str):
        return replace(event, body=rendered or None)  # a template as people see it
    return event


def _author_of(item: Item, headers: Mapping[str, str]) -> Literal["app", "automation"] | None:
    kind = text_of(part_of(_about(item), "author"), "type")
    if kind == "OPERATOR":
        return "app"  # typed by a person, in Turn's inbox instead of the phone's
    if headers.get(SUBSCRIPTION) == "journey_outbound":
        return "automation"
    return None if kind is None or kind in _PROGRAMS else "automation"


def _as_echo(item: Item, headers: Mapping[str, str]) -> Item:
    """As the Cloud API tells an echo, not a send: with a time, a user id and a quoted message under other names."""
    told: Item = {"to_user_id": item.get("recipient"), "timestamp": _seconds(item, headers), **item}
    if quoted := part_of(item, "context").get("message_id"):
        told["context"] = {"id": quoted}
    return {key: value for key, value in told.items() if key not in _OF_TURN}


def _seconds(item: Item, headers: Mapping[str, str]) -> float | None:
    for written in (_about(item).get("inserted_at"), headers.get(RECEIVED_AT)):
        try:
            moment = datetime.fromisoformat(str(written))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            continue
    return None


def _plain(item: Any) -> Any:  # noqa: ANN401 (any JSON value)
    return {key: value for key, value in item.items() if key != "_vnd"} if isinstance(item, dict) else item


def _about(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return part_of(part_of(item, "_vnd"), "v1")


def _kept(item: Item) -> Item | None:
    return item if cloud_json.is_storable(item) else None
