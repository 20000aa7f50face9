"""What control requests name: accounts, numbers, people; each error says what would have been right."""

from typing import Any

from simulator.config import Account, ConfigError, Number
from simulator.people import Contact
from simulator.world import World

Given = dict[str, Any]
MOST = 100_000


def find_account(world: World, given: Given) -> Account:
    """The account of `waba_id`, which may be left out while there is only one."""
    waba_id = str(given.get("waba_id") or (next(iter(world.accounts)) if len(world.accounts) == 1 else ""))
    if waba_id not in world.accounts:
        raise ConfigError(f"waba_id: no account has this id; known are {', '.join(world.accounts) or 'none'}")
    return world.accounts[waba_id]


def find_number(world: World, given: Given) -> Number:
    """The number of `number_id`, which may be left out while there is only one."""
    number_id = str(given.get("number_id") or (next(iter(world.numbers)) if len(world.numbers) == 1 else ""))
    if number_id not in world.numbers:
        raise ConfigError(f"number_id: no number has this id; known are {', '.join(world.numbers) or 'none'}")
    return world.numbers[number_id]


def find_person(world: World, given: Given) -> Contact:
    contact = world.people.find(str(given.get("person", "")))
    if contact is None:
        raise ConfigError("person: a phone number or a business-scoped user id is needed")
    return contact


def whole(given: Given, name: str, default: int = 1, least: int = 1) -> int:
    value = given.get(name, default)
    if isinstance(value, str) and value.isdecimal():
        value = int(value)  # from a query
    if not isinstance(value, int) or not least <= value <= MOST:
        raise ConfigError(f"{name}: a whole number from {least} to {MOST}")
    return value
