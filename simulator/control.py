"""The control API under /_control/: what a test, a bench or the phone page tells the simulator to do."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from simulator.config import ConfigError
from simulator.inbound import Inbound, build_inbound, remember
from simulator.updates import encode, envelope
from simulator.world import World

Given = dict[str, Any]
AT_ONCE = 64
MOST = 100_000


async def show_config(world: World, _given: Given) -> object:
    return world.as_document()


async def change_config(world: World, given: Given) -> object:
    world.merge(given)
    return world.as_document()


async def show_faults(world: World, _given: Given) -> object:
    return world.as_document()["faults"]


async def change_faults(world: World, given: Given) -> object:
    world.merge({"faults": given})
    return world.as_document()["faults"]


async def send_inbound(world: World, given: Given) -> object:
    """Messages from a person: `count` different ones, `batch` of them a POST, each body `same` times at once."""
    count, batch, same = (_whole(given, name) for name in ("count", "batch", "same"))
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
    gate = asyncio.Semaphore(max(AT_ONCE, _whole(given, "same")))
    signed = given.get("signature")

    async def post(body: bytes) -> int:
        async with gate:
            status = await world.callbacks.post(account, body, signed)
        if status != 200 and signed is None and given.get("retry", True):
            world.callbacks.retry(account, body)
        return status

    return await asyncio.gather(*(post(body) for body in bodies))


def _body(world: World, inbounds: list[Inbound]) -> bytes:
    spread = world.config.delivery.spread
    return encode(envelope([inbound.update for inbound in inbounds], world.numbers, spread))


def _whole(given: Given, name: str) -> int:
    value = given.get(name, 1)
    if not isinstance(value, int) or not 1 <= value <= MOST:
        raise ConfigError(f"{name}: a whole number from 1 to {MOST}")
    return value


async def freeze(world: World, _given: Given) -> object:
    world.callbacks.freeze()
    return {"frozen": True, "waiting": world.callbacks.waiting}


async def unfreeze(world: World, _given: Given) -> object:
    world.callbacks.thaw()
    return {"frozen": False, "waiting": world.callbacks.waiting}


async def drain(world: World, _given: Given) -> object:
    if world.callbacks.frozen:
        raise ConfigError("drain: the webhooks are frozen; POST /_control/unfreeze first")
    await world.callbacks.drain()
    return dict(world.callbacks.counts)


async def reset(world: World, given: Given) -> object:
    world.reset(log=bool(given.get("log", False)))
    return {"log_entries": world.ledger.count}


async def show_counts(world: World, _given: Given) -> object:
    return {
        **dict.fromkeys(("requests", "accepted", "refused", "inbound"), 0),
        **world.counts,
        "callbacks": dict(world.callbacks.counts),
        "waiting": world.callbacks.waiting,
        "in_flight": world.callbacks.active,
        "frozen": world.callbacks.frozen,
        "log_entries": world.ledger.count,
    }


async def show_log(world: World, given: Given) -> object:
    """Entries of the log with every filter matching; `group` counts them by a member, `count` only counts."""
    return await asyncio.to_thread(_read_log, world, dict(given))


FILTERS = ("number_id", "to", "recipient", "callback", "wamid", "type", "template", "fault")


def _read_log(world: World, given: Given) -> object:
    wanted = {name: given[name] for name in FILTERS if name in given}
    since = int(given.get("since", 0))
    found = (
        entry
        for entry in world.ledger.entries()
        if entry["n"] > since and all(str(entry.get(name)) == value for name, value in wanted.items())
    )
    if "group" in given:
        return dict(Counter(str(entry.get(given["group"])) for entry in found))
    if given.get("count"):
        return {"count": sum(1 for _ in found)}
    return list(found)


async def show_violations(world: World, _given: Given) -> object:
    return list(world.pace.violations)


Control = Callable[[World, Given], Awaitable[object]]

CONTROLS: dict[tuple[str, str], Control] = {
    ("GET", "config"): show_config,
    ("PUT", "config"): change_config,
    ("GET", "faults"): show_faults,
    ("PUT", "faults"): change_faults,
    ("POST", "inbound"): send_inbound,
    ("POST", "freeze"): freeze,
    ("POST", "unfreeze"): unfreeze,
    ("POST", "drain"): drain,
    ("POST", "reset"): reset,
    ("GET", "counts"): show_counts,
    ("GET", "log"): show_log,
    ("GET", "violations"): show_violations,
}
