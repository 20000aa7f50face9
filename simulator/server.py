import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from simulator.config import LOOPBACK, ConfigError
from simulator.control import CONTROLS
from simulator.graph import GraphError, answer, refusal
from simulator.messages import post_message
from simulator.world import World

Handler = Callable[..., Awaitable[web.StreamResponse]]
VERSION = r"/(v\d+\.\d+)"


async def post_control(world: World, request: web.BaseRequest, name: str) -> web.StreamResponse:
    if not _is_local(request):
        return answer({"error": "The control API answers only to loopback addresses."}, 403)
    control = CONTROLS.get((request.method, name))
    if control is None:
        known = ", ".join(f"{method} {path}" for method, path in CONTROLS)
        return answer({"error": f"No such control. Known are: {known}."}, 404)
    try:
        return answer(await control(world, await _given(request)))
    except ConfigError as error:
        return answer({"error": str(error)}, 400)


async def _given(request: web.BaseRequest) -> dict[str, Any]:
    raw = await request.read()
    if not raw:
        return dict(request.query)
    try:
        given = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"The body is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise ConfigError("The body must be a JSON object.")
    return given


def _is_local(request: web.BaseRequest) -> bool:
    """Keeps pages of the open web, also rebound names, from steering the simulator through a browser."""
    names = [urlsplit(f"//{request.host}").hostname]
    if "Origin" in request.headers:
        names.append(urlsplit(request.headers["Origin"]).hostname)
    return all(name in LOOPBACK for name in names)


ROUTES: list[tuple[str, re.Pattern[str], Handler]] = [
    ("POST", re.compile(VERSION + r"/(\w+)/messages"), post_message),
    ("*", re.compile(r"/_control/(\w+)"), post_control),
]


async def serve(world: World, host: str, port: int, started: Callable[[str], None]) -> None:
    """Serve until cancelled; `started` hears the address once requests are answered."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        # A plain server and this loop instead of an application: half the time per request, and the bench feels it.
        path, method = request.path, request.method
        for wanted, pattern, handler in ROUTES:
            found = pattern.fullmatch(path)
            if found and wanted in {"*", method}:
                return await handler(world, request, *found.groups())
        return refusal(GraphError(100, f"Unknown path {path}", status=404))

    async with AsyncExitStack() as stack:
        stack.push_async_callback(world.ledger.close)
        await world.callbacks.start()
        stack.push_async_callback(world.callbacks.stop)
        runner = web.ServerRunner(web.Server(handle, access_log=None, logger=logging.getLogger("simulator")))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, host, port, shutdown_timeout=1, backlog=1024)
        await site.start()
        address = runner.addresses[0]
        started(f"http://{address[0]}:{address[1]}")
        await asyncio.Event().wait()
