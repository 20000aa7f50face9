"""What goes into a webhook, and the envelope around it (Cloud API webhooks, "messages" field)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from simulator.chats import Sent
from simulator.config import Number
from simulator.graph import title_of


class Piece(NamedTuple):
    """One item for `value[key]` with what has to stand beside it."""

    key: str
    item: dict[str, Any]
    contact: dict[str, Any] | None = None
    errors: list[dict[str, Any]] | None = None


class StatusUpdate:
    """A status on its way; its JSON is made only when it leaves, since most of its life it waits."""

    __slots__ = ("echo", "sent", "status", "time")

    def __init__(self, sent: Sent, status: str, *, echo: bool = True) -> None:
        self.sent = sent
        self.status = status
        self.echo = echo  # False leaves out the callback data
        self.time = 0.0

    @property
    def waba_id(self) -> str:
        return self.sent.waba_id

    @property
    def number_id(self) -> str:
        return self.sent.number_id

    def piece(self) -> Piece:
        sent, person = self.sent, self.sent.contact
        item: dict[str, Any] = {"id": sent.wamid, "status": self.status, "timestamp": str(int(self.time))}
        failed = self.status == "failed"
        if not person.hide_phone:
            item["recipient_id"] = person.phone
        if not failed or sent.by_user_id:
            item["recipient_user_id"] = person.user_id
        if self.echo and sent.callback is not None:
            item["biz_opaque_callback_data"] = sent.callback
        if failed:
            item["errors"] = [error_object(sent.failed_code or 131026)]
            return Piece("statuses", item)
        if self.status != "read":
            item["pricing"] = pricing(sent)
        return Piece("statuses", item, person.profile(with_username=self.status != "sent"))


class InboundUpdate:
    """A message, or anything else already in its final shape, on its way to the business."""

    __slots__ = ("_piece", "number_id", "waba_id")

    def __init__(self, waba_id: str, number_id: str, piece: Piece) -> None:
        self.waba_id = waba_id
        self.number_id = number_id
        self._piece = piece

    def piece(self) -> Piece:
        return self._piece


Update = StatusUpdate | InboundUpdate


def pricing(sent: Sent) -> dict[str, Any]:
    free = sent.in_window and sent.category in {"service", "utility"}
    kind = "free_customer_service" if free else "regular"
    return {"billable": not free, "pricing_model": "PMP", "type": kind, "category": sent.category}


def error_object(code: int, details: str = "") -> dict[str, Any]:
    title = title_of(code)
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details or title},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }


def envelope(updates: Sequence[Update], numbers: Mapping[str, Number], spread: str = "statuses") -> dict[str, Any]:
    """All updates of one account as one body; `spread` as in the configuration's delivery section."""
    waba_id = updates[0].waba_id
    if spread == "statuses":
        by_number: dict[str, list[Update]] = {}
        for update in updates:
            by_number.setdefault(update.number_id, []).append(update)
        groups = list(by_number.values())
    else:
        groups = [[update] for update in updates]
    changes = [{"value": _value(group, numbers[group[0].number_id]), "field": "messages"} for group in groups]
    entries = [[change] for change in changes] if spread == "entries" else [changes]
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": waba_id, "changes": of_entry} for of_entry in entries],
    }


def _value(updates: Sequence[Update], number: Number) -> dict[str, Any]:
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number.display_phone_number, "phone_number_id": number.id},
    }
    contacts: dict[str, dict[str, Any]] = {}
    for update in updates:
        key, item, contact, errors = update.piece()
        if contact is not None:
            contacts[contact["user_id"]] = contact
            value["contacts"] = []
        value.setdefault(key, []).append(item)
        if errors:
            value.setdefault("errors", []).extend(errors)
    if contacts:
        value["contacts"] = list(contacts.values())
    return value


def encode(body: object) -> bytes:
    """JSON as Meta writes it: non-ASCII as escapes and every slash escaped, which only the raw bytes can verify."""
    written = orjson.dumps(body)  # five times as quick, but it writes no escapes
    if not written.isascii():
        written = json.dumps(body, separators=(",", ":")).encode("ascii")
    return written.replace(b"/", b"\\/")
