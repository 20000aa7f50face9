"""Webhook bodies as the Cloud API sends them, made before the clock runs (docs/simulator.md names the source)."""

import hashlib
import hmac
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.load import post
from tests.harness import simulator
from tests.harness.house import SLUG

LEVELS = ("sent", "delivered", "read")

Sent = tuple[int, str]
"""Our message id and the provider's."""


def statuses(rows: Iterable[Sent], levels: Sequence[str] = LEVELS) -> list[dict[str, Any]]:
    """Each level of each message once, shuffled: providers promise no order."""
    told = [_status(row, level) for row in rows for level in levels]
    random.Random(1).shuffle(told)
    return told


def messages(count: int, people: int, first: int = 0) -> list[dict[str, Any]]:
    """Texts from `people` numbers in turn."""
    now = str(int(datetime.now(UTC).timestamp()))
    return [
        {
            "from": f"2011{first + n % people:08d}",
            "id": f"wamid.in.{first}.{n}",
            "timestamp": now,
            "type": "text",
            "text": {"body": "Good morning"},
        }
        for n in range(count)
    ]


def body(items: Sequence[dict[str, Any]]) -> bytes:
    """One POST with statuses and messages of one number."""
    told = [item for item in items if "status" in item]
    said = [item for item in items if "status" not in item]
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": simulator.BUSINESS_PHONE, "phone_number_id": simulator.NUMBER_ID},
    }
    if told:
        value["statuses"] = told
    if said:
        value["contacts"] = [
            {"profile": {"name": f"Person {item['from'][-4:]}"}, "wa_id": item["from"]} for item in said
        ]
        value["messages"] = said
    entry = {"id": simulator.WABA_ID, "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def batches(items: Sequence[dict[str, Any]], size: int) -> list[bytes]:
    return [body(items[at : at + size]) for at in range(0, len(items), size)]


def uneven(items: Sequence[dict[str, Any]], mean: float, most: int) -> Iterator[bytes]:
    """Bodies of 1 to `most` items, most of them small, `mean` on average."""
    chance = random.Random(2)
    at = 0
    while at < len(items):
        size = min(most, 1 + int(chance.expovariate(1 / (mean - 0.45))))
        yield body(items[at : at + size])
        at += size


def signed(content: bytes) -> bytes:
    """The whole HTTP request."""
    digest = hmac.new(simulator.APP_SECRET.encode(), content, hashlib.sha256).hexdigest()
    return post(f"/webhooks/{SLUG}", content, {"X-Hub-Signature-256": f"sha256={digest}"})


def _status(row: Sent, level: str) -> dict[str, Any]:
    message_id, provider_message_id = row
    return {
        "id": provider_message_id,
        "status": level,
        "timestamp": str(int(datetime.now(UTC).timestamp()) + LEVELS.index(level)),
        "recipient_id": "201000000000",
        "biz_opaque_callback_data": f"o1.{message_id}.1",
        "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"},
    }
