"""Webhooks a test asks for: storms of messages, bodies of any shape, statuses of sends long past."""

import asyncio
import base64
import binascii
import time
from typing import Any

from simulator.asking import Given, find_account, whole
from simulator.chats import RANK, Sent
from simulator.config import ConfigError
from simulator.inbound import Inbound, build_inbound, remember
from simulator.journal import read_entries
from simulator.posting import signature
from simulator.updates import StatusUpdate, encode, envelope
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
    bodies = [_body(world, built[start : start + batch]) for start in range(0, count, batch)]
    statuses = await _post_all(world, built[0].number.waba_id, [body for body in bodies for _ in range(same)], given)
    return {"ids": ids, "statuses": statuses, "queued": 0}


async def _post_all(world: World, waba_id: str, bodies: list[bytes], given: Given) -> list[int]:
    """The first answer to each body; what was not taken is sent again in the background, as the provider does."""
    account = world.accounts[waba_id]
    if not account.callback_url:
        return []
    gate = asyncio.Semaphore(max(AT_ONCE, whole(given, "same")))
    signed = given.get("signature")

    async def post(body: bytes) -> int:
        async with gate:
            status = await world.callbacks.post(account, body, signed)
        if status != 200 and signed is None and given.get("retry", True):
            world.callbacks.send(account, body)
        return status

    return await asyncio.gather(*(post(body) for body in bodies))


def _body(world: World, inbounds: list[Inbound]) -> bytes:
    spread = world.config.delivery.spread
    return encode(envelope([inbound.update for inbound in inbounds], world.numbers, spread))


async def send_raw(world: World, given: Given) -> object:
    """Any bytes to an account's callback: `body` (object or text) or `base64`; never sent again."""
    account = find_account(world, given)
    if not account.callback_url:
        raise ConfigError("waba_id: the account has no callback_url")
    body = _raw_body(given)
    signed = given.get("signature")
    if signed is None:
        signed = signature(str(given.get("secret", account.app_secret)), body)
    posts = (world.callbacks.post(account, body, str(signed)) for _ in range(whole(given, "same")))
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
    sent.by_user_id = not entry["to"]
    sent.time = time.time()
    sent.failed_code = code
    return sent
