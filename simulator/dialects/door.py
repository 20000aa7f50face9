"""What happens to every request of a dialect: whose it is, and how a refusal is told."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from simulator.config import Account, Number
from simulator.dialects.base import Dialect
from simulator.graph import GraphError
from simulator.people import digits_of
from simulator.world import World

Handler = Callable[..., Awaitable[web.StreamResponse]]
Route = tuple[str, str, Handler]


def speaking(dialect: Dialect, handler: Handler) -> Handler:
    """The handler with the account, which stands before the parts of the path; refusals are in its dialect."""

    async def handle(world: World, request: web.BaseRequest, *parts: str) -> web.StreamResponse:
        account = None
        try:
            account = _known(world.by_key.get((dialect.family, await dialect.key_of(request))))
            return await handler(world, request, account, *parts)
        except GraphError as error:
            world.counts["refused"] += 1
            return (world.dialects[account.dialect] if account else dialect).refusal(error)

    return handle


def _known(account: Account | None) -> Account:
    if account is None:
        raise GraphError(190)
    return account


async def read_json(request: web.BaseRequest) -> tuple[bytes, dict[str, Any]]:
    """The body as it came and as an object."""
    raw = await request.read()
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise GraphError(100, "The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise GraphError(100, "The body must be a JSON object.")
    return raw, body


def only_number(world: World, account: Account) -> Number:
    """The number of an account that is one."""
    found = next((number for number in world.numbers.values() if number.waba_id == account.waba_id), None)
    if found is None:
        raise GraphError(100, "The account has no number.", subcode=33)
    return found


def number_of_phone(world: World, account: Account, phone: str) -> Number | None:
    """The account's number that is shown as `phone`, in any spelling."""
    digits = digits_of(phone)
    mine = (number for number in world.numbers.values() if number.waba_id == account.waba_id)
    return next((number for number in mine if digits and digits_of(number.display_phone_number) == digits), None)
