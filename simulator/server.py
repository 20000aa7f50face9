import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from simulator.accounts import list_numbers, show_object, show_subscriptions, subscribe
from simulator.config import LOOPBACK, ConfigError
from simulator.control import CONTROLS
from simulator.dialects.table import ROUTES as DIALECT_ROUTES
from simulator.graph import GraphError, answer, refusal
from simulator.ledger import LedgerError
from simulator.media import delete_media, download_media, post_media
from simulator.messages import post_message
from simulator.phone import show_page, show_sample, stream_events
from simulator.template_edits import edit_template, open_upload, take_upload, unpause_template
from simulator.templates import create_template, delete_template, list_templates
from simulator.world import World

Handler = Callable[..., Awaitable[web.StreamResponse]]
MOST_BYTES = 32 * 1024 * 1024
VERSION = r"/(v\d+\.\d+)"


async def post_control(world: World, request: web.BaseRequest, name: str) -> web.StreamResponse:
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


def local(handler: Handler) -> Handler:
    """The handler for requests that name a loopback address; anything else is refused."""

    async def handle(world: World, request: web.BaseRequest, *names: str) -> web.StreamResponse:
        if _is_local(request):
            return await handler(world, request, *names)
        return answer({"error": "The control API answers only to loopback addresses."}, 403)

    return handle


def _is_local(request: web.BaseRequest) -> bool:
    """Keeps pages of the open web, also rebound names, from steering the simulator through a browser."""
    names = [urlsplit(f"//{request.host}").hostname]
    if "Origin" in request.headers:
        names.append(urlsplit(request.headers["Origin"]).hostname)
    return all(name in LOOPBACK for name in names)


ROUTES: list[tuple[str, re.Pattern[str], Handler]] = [
    (method, re.compile(path), handler)
    for method, path, handler in (
        ("POST", VERSION + r"/(\w+)/messages", post_message),
        ("POST", VERSION + r"/(\w+)/media", post_media),
        ("GET", VERSION + r"/(\w+)/message_templates", list_templates),
        ("POST", VERSION + r"/(\w+)/message_templates", create_template),
        ("DELETE", VERSION + r"/(\w+)/message_templates", delete_template),
        ("GET", VERSION + r"/(\w+)/phone_numbers", list_numbers),
        ("GET", VERSION + r"/(\w+)/subscribed_apps", show_subscriptions),
        ("POST", VERSION + r"/(\w+)/subscribed_apps", subscribe),
        ("POST", VERSION + r"/app/uploads", open_upload),
        ("POST", VERSION + r"/upload:([\w-]+)", take_upload),
        ("POST", VERSION + r"/(\d+)", edit_template),
        ("POST", VERSION + r"/(\d+)/unpause", unpause_template),
        ("GET", VERSION + r"/([\w-]+)", show_object),
        ("DELETE", VERSION + r"/([\w-]+)", delete_media),
        ("GET", r"/_media/([\w-]+)", download_media),
        ("GET", r"/_media/sample/([\w-]+)", local(show_sample)),
        ("GET", r"/_control/events", local(stream_events)),
        ("*", r"/_control/(\w+)", local(post_control)),
        ("GET", r"/(|phone\.css|phone\.js)", local(show_page)),
    )
] + DIALECT_ROUTES


async def dispatch(world: World, request: web.BaseRequest) -> web.StreamResponse:
    # A plain server and this loop instead of an application: less work per request, and the benches feel it.
    path, method = request.path, request.method
    for wanted, pattern, handler in ROUTES:
        if wanted in {method, "*"}:
            found = pattern.fullmatch(path)
            if found:
                return await handler(world, request, *found.groups())
    raise GraphError(100, f"Unknown path components: {path}", status=404, subcode=2500)


def make_request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    """A request whose body may be larger than usual, for tests that send webhooks of the largest size."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MOST_BYTES)


async def serve(world: World, host: str, port: int, started: Callable[[str], None]) -> None:
    """Serve until cancelled; `started` hears the address once requests are answered."""
    busy: set[web.RequestHandler] = set()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        busy.add(request.protocol)
        try:
            return await dispatch(world, request)
        except GraphError as error:
            world.counts["refused"] += 1
            return refusal(error)
        except LedgerError as error:
            return refusal(GraphError(131000, str(error)))
        finally:
            busy.discard(request.protocol)

    async with AsyncExitStack() as stack:
        stack.push_async_callback(world.ledger.close)
        await world.callbacks.start()
        stack.push_async_callback(world.callbacks.stop)
        server = web.Server(
            handle, request_factory=make_request, access_log=None, logger=logging.getLogger("simulator")
        )
        world.close_connections = lambda: close_idle(server, busy)
        runner = web.ServerRunner(server, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        address = runner.addresses[0]
        world.callbacks.address = f"http://{address[0]}:{address[1]}"
        started(world.callbacks.address)
        await asyncio.Event().wait()


def close_idle(server: web.Server, busy: set[web.RequestHandler]) -> int:
    """Close every connection that has no request at the moment."""
    idle = [connection for connection in server.connections if connection not in busy]
    for connection in idle:
        if connection.transport is not None:
            connection.transport.close()
    return len(idle)
