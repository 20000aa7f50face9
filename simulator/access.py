from aiohttp import web

from simulator.config import Account, Number
from simulator.graph import GraphError
from simulator.world import World


def find_account(world: World, request: web.BaseRequest, *, scheme: str = "Bearer") -> Account:
    """Whose token the request bears; raises GraphError 190 for an unknown one."""
    named, _, token = request.headers.get("Authorization", "").partition(" ")
    account = world.by_key.get(("cloud", token)) if named == scheme else None
    if account is None:
        raise GraphError(190)
    return account


def find_number(world: World, request: web.BaseRequest, number_id: str) -> tuple[Account, Number]:
    """Raises GraphError 190 for an unknown token and 100/33 for a number of somebody else."""
    account = find_account(world, request)
    number = world.numbers.get(number_id)
    if number is None or number.waba_id != account.waba_id:
        raise unknown_object(number_id)
    return account, number


def find_own_account(world: World, request: web.BaseRequest, waba_id: str) -> Account:
    account = find_account(world, request)
    if account.waba_id != waba_id:
        raise unknown_object(waba_id)
    return account


def unknown_object(name: str) -> GraphError:
    return GraphError(
        100,
        f"Object with ID '{name}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation",
        subcode=33,
    )
