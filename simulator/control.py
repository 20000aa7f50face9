"""The control API under /_control/: what a test, a bench or the phone page tells the simulator to do."""

import time
from collections.abc import Awaitable, Callable

from simulator.accounts import shake_hands
from simulator.asking import Given, find_account, find_number, find_person
from simulator.config import ConfigError
from simulator.journal import show_log, show_requests
from simulator.phone import open_chat, save_person, show_chat, show_chats, show_people
from simulator.templates import change_status
from simulator.traffic import send_inbound, send_raw, send_statuses
from simulator.world import World


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
        "updates_a_body": world.callbacks.mean_updates,
        "waiting": world.callbacks.waiting,
        "in_flight": world.callbacks.active,
        "frozen": world.callbacks.frozen,
        "log_entries": world.ledger.count,
    }


async def show_violations(world: World, _given: Given) -> object:
    return list(world.pace.violations)


async def show_reads(world: World, _given: Given) -> object:
    """Which messages the business said it has read, as often as it did, and whether it was typing."""
    return list(world.reads)


async def verify(world: World, given: Given) -> object:
    """Run the handshake with an account's callback."""
    account = find_account(world, given)
    return await shake_hands(world, account.callback_url, account.verify_token)


async def set_window(world: World, given: Given) -> object:
    """Pretend the person's last message was `hours_ago` (default 0: the window is open; 24 and more: closed)."""
    number, contact = find_number(world, given), find_person(world, given)
    hours = given.get("hours_ago", 0)
    if not isinstance(hours, int | float):
        raise ConfigError("hours_ago: a number is needed")
    contact.last_inbound[number.id] = time.time() - hours * 3600
    return {"open": world.is_open(number.id, contact.last_inbound)}


async def set_template_status(world: World, given: Given) -> object:
    """Pause, disable or approve a template and send the webhook about it."""
    key = (str(given.get("waba_id")), str(given.get("name")), str(given.get("language")))
    if key not in world.templates:
        raise ConfigError(f"template: none has the waba_id, name and language {key}")
    template = world.templates[key][0]
    account = world.accounts[template.waba_id]
    change_status(world, account, template, str(given.get("status", "PAUSED")).upper(), str(given.get("reason", "")))
    return {"status": template.status}


async def close_idle(world: World, _given: Given) -> object:
    """Close the keep-alive connections under the senders, as a provider's load balancer does."""
    return {"closed": world.close_connections()}


Control = Callable[[World, Given], Awaitable[object]]

CONTROLS: dict[tuple[str, str], Control] = {
    ("GET", "config"): show_config,
    ("PUT", "config"): change_config,
    ("GET", "faults"): show_faults,
    ("PUT", "faults"): change_faults,
    ("POST", "inbound"): send_inbound,
    ("POST", "raw"): send_raw,
    ("POST", "statuses"): send_statuses,
    ("POST", "verify"): verify,
    ("POST", "window"): set_window,
    ("POST", "template"): set_template_status,
    ("POST", "close_idle"): close_idle,
    ("POST", "freeze"): freeze,
    ("POST", "unfreeze"): unfreeze,
    ("POST", "drain"): drain,
    ("POST", "reset"): reset,
    ("GET", "counts"): show_counts,
    ("GET", "log"): show_log,
    ("GET", "requests"): show_requests,
    ("GET", "violations"): show_violations,
    ("GET", "reads"): show_reads,
    ("GET", "people"): show_people,
    ("POST", "person"): save_person,
    ("GET", "chats"): show_chats,
    ("GET", "chat"): show_chat,
    ("POST", "open"): open_chat,
}
