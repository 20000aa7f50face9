"""A stored body, read by its provider; and each item of it applied by itself where that is asked for."""

from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.orm import Session

from bot.providers.base import RECEIVED_AT
from bot.providers.events import Event, Unreadable
from bot.providers.registry import PROVIDERS
from webhooks import apply, faults
from webhooks.apply import Applied, Item, Refusal

log = structlog.get_logger()

MOST_UNREADABLE = 1000
"""Items of one body that are put in the quarantine one by one: a body has room for a million."""


def items(event: Row[Any]) -> Iterator[Item]:
    """Of a row with id, received_at, connection_id, provider, body, content_type and headers."""
    received_at = event.received_at.isoformat()
    headers = {"content-type": event.content_type or "", RECEIVED_AT: received_at, **(event.headers or {})}
    for found in _bounded(_parsed(event, headers)):
        yield Item(event.id, event.connection_id, found, event.received_at)


def apply_one(session: Session, item: Item) -> Applied:
    """Apply an item in a savepoint of its own; whatever is wrong with it goes to the quarantine with it."""
    try:
        with session.begin_nested():
            return apply.apply(session, [item], alone=True)
    except faults.PASSING:
        raise
    except Exception as error:  # noqa: BLE001 (it is this item's fault)
        apply.refuse(session, [Refusal(item, faults.describe(error))])
        return Applied(frozenset(), frozenset({item.webhook_event_id}))


def _bounded(events: Iterable[Event]) -> Iterator[Event]:
    """The events, with one in place of all Unreadables beyond the bound, at the first of their places."""
    count, first = 0, ""
    for event in events:
        count += isinstance(event, Unreadable)
        if count <= MOST_UNREADABLE or not isinstance(event, Unreadable):
            yield event
        elif count == MOST_UNREADABLE + 1:
            first = event.pointer
    if count > MOST_UNREADABLE:
        yield Unreadable(first, f"it and {count - MOST_UNREADABLE - 1:,} more items of this body cannot be read")


def _parsed(event: Row[Any], headers: dict[str, str]) -> list[Event]:
    try:
        return PROVIDERS[event.provider].parse(event.body, headers)
    except faults.PASSING:
        raise
    except Exception as error:  # noqa: BLE001 (no parser should raise; if one does, all that came later would wait)
        log.error("webhook.parser_failed", webhook_event_id=event.id, error=type(error).__name__)  # noqa: TRY400
        return [Unreadable("", f"this version cannot read it: {faults.describe(error)}")]
