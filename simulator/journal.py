"""Reading the log of accepted sends and the memory of requests."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from simulator.asking import Given
from simulator.config import ConfigError
from simulator.world import World


async def show_log(world: World, given: Given) -> object:
    """Entries of the log with every filter matching; `group` counts them by a member, `count` only counts."""
    return await asyncio.to_thread(_read_log, world, dict(given))


Entry = dict[str, object]
FILTERS = ("number_id", "to", "recipient", "callback", "wamid", "type", "template", "fault")


def _read_log(world: World, given: Given) -> object:
    return _summarize(read_entries(world, given), given)


def read_entries(world: World, given: Given) -> Iterable[Entry]:
    """Log entries that match every filter in `given`, oldest first; blocking."""
    wanted = {name: str(given[name]) for name in FILTERS if name in given}
    since = str(given.get("since", 0))
    if not since.isdecimal():
        raise ConfigError("since: the number of a log entry is needed")
    for entry in world.ledger.entries():
        if entry["n"] > int(since) and all(str(entry.get(name)) == value for name, value in wanted.items()):
            yield entry


def _summarize(found: Iterable[Entry], given: Given) -> object:
    if "group" in given:
        return dict(Counter(str(entry.get(str(given["group"]))) for entry in found))
    if given.get("count"):
        return {"count": sum(1 for _ in found)}
    return list(found)


async def show_requests(world: World, given: Given) -> object:
    """The latest send requests that passed the checks, accepted or not, with the fault each met."""
    names = ("time", "number_id", "to", "callback", "fault")
    wanted = {name: str(given[name]).lstrip("+") for name in names if name in given}
    found = [dict(zip(names, request, strict=True)) for request in world.requests]
    matching = (entry for entry in found if all(str(entry[name]) == value for name, value in wanted.items()))
    return _summarize(matching, given)
