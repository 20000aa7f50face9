"""Webhooks a test asks for: storms of messages, bodies of any shape, statuses of sends long past."""

import asyncio
import base64
import binascii
import time
from typing import Any

from simulator.asking import Given, find_account, whole
from simulator.chats import RANK, Sent
from simulator.config import Account, ConfigError
from simulator.inbound import Inbound, build_inbound, remember
from simulator.journal import read_entries
from simulator.posting import JSON, Webhook
from simulator.updates import StatusUpdate, encode
from simulator.world import World

AT_ONCE = 64


async def send_inbound(world: World, given: Given) -> object:
    """Messages from a person: `count` different ones, `batch` of them a POST, each body `same` times at once."""
    count, batch, same = (whole(given, name) for name in ("count", "batch", "same"))
    await asyncio.sleep(whole(given, "delay_ms", 0, 0) / 1000)
    built = [build_inbound(world, given) for _ in range(count)]
    for inbound in built:
        remember(world, inbound)
    ids = [inbound.message["id"] for inbound in built]
    if world.callbacks.frozen:
        for inbound in built:
            world.callbacks.schedule(inbound.update, 0)
        return {"ids": ids, "statuses": [], "queued": count}
    account = world.accounts[built[0].number.waba_id]
    if not account.callback_url:
        return {"ids": ids, "statuses": [], "queued": 0}
    batch = min(batch, world.dialects[account.dialect].most)
    webhooks = [_webhook(world, account, built[start : start + batch]) for start in range(0, count, batch)]
    statuses = await _post_all(world, account, [each for each in webhooks for _ in range(same)], given)
    return {"ids": ids, "statuses": statuses, "queued": 0}


async def _post_all(world: World, account: Account, webhooks: list[Webhook], given: Given) -> list[int]:
    """The first answer to each; what was not taken is sent again in the background, as the provider does."""
    dialect = world.dialects[account.dialect]
    gate = asyncio.Semaphore(max(AT_ONCE, whole(given, "same")))
    signed = given.get("signature")

    async def post(webhook: Webhook) -> int:
        async with gate:
            status = await world.callbacks.post(account, webhook, signed)
        is_over = dialect.is_taken(status) or dialect.is_refused(status)
        if not is_over and signed is None and given.get("retry", True):
            world.callbacks.send(account, webhook)
        return status

    return await asyncio.gather(*map(post, webhooks))


def _webhook(world: World, account: Account, inbounds: list[Inbound]) -> Webhook:
    updates = [inbound.update for inbound in inbounds]
    webhook = world.dialects[account.dialect].webhook(account, updates, world.callbacks.surroundings())
    if webhook is None:
        raise ConfigError("waba_id: the account has nowhere to tell this")
    return webhook


async def send_raw(world: World, given: Given) -> object:
    """Any bytes to an account's callback: `body` (object or text) or `base64`; never sent again."""
    account = find_account(world, given)
    if not account.callback_url:
        raise ConfigError("waba_id: the account has no callback_url")
    headers = {**JSON, "Content-Type": str(given.get("content_type", JSON["Content-Type"]))}
    webhook = Webhook(account.callback_url, _raw_body(given), headers)
    signed = given.get("signature")
    if signed is None:
        seal = world.dialects[account.dialect].seal
        signed = seal.proof(account, webhook, str(given["secret"]) if "secret" in given else None)
    posts = (world.callbacks.post(account, webhook, signed) for _ in range(whole(given, "same")))
    return {"statuses": await asyncio.gather(*posts), "signature": signed}


def _raw_body(given: Given) -> bytes:
    if "base64" in given:
        try:
            return base64.b64decode(given["base64"], validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise ConfigError("base64: not base64") from None
    body = given.get("body", "")
    return body.encode() if isinstance(body, str) else encode(body)


async def send_statuses(world: World, given: Given) -> object:
    """Schedule `statuses` for the logged sends that match the filters of the log, also those of an earlier run."""
    wanted = given.get("statuses", ["sent", "delivered", "read"])
    if not isinstance(wanted, list) or not all(status in RANK for status in wanted):
        raise ConfigError(f"statuses: a list of {', '.join(RANK)}")
    entries = await asyncio.to_thread(lambda: list(read_entries(world, given)))
    delay = whole(given, "delay_ms", 0, 0)
    for entry in entries:
        sent = _remembered(world, entry, int(given.get("code", 0)))
        for status in wanted:
            world.callbacks.schedule(StatusUpdate(sent, status, echo=given.get("echo", True)), delay)
    return {"messages": len(entries), "scheduled": len(entries) * len(wanted)}


def _remembered(world: World, entry: dict[str, Any], code: int) -> Sent:
    number = world.numbers.get(entry["number_id"])
    contact = world.people.find(entry["to"] or entry["recipient"])
    if number is None or contact is None:
        raise ConfigError(f"log entry {entry['n']}: its number {entry['number_id']} is not configured any more")
    sent = Sent(wamid=entry["wamid"], waba_id=number.waba_id, number_id=number.id, contact=contact, body=b"{}")
    sent.kind = entry["type"]
    sent.callback = entry["callback"]
    sent.status_url = entry.get("status_url", "")
    sent.by_user_id = not entry["to"]
    sent.time = time.time()
    sent.failed_code = code
    return sent
