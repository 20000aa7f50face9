"""Downloads that go wrong: a medium with one of these ids does as it is called."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from simulator.world import World

_PIECE = bytes(64 * 1024)
_TRICKLE_S = 0.1


async def endless(_world: World, request: web.BaseRequest, content: bytes) -> web.StreamResponse:
    """Never ends, and never said how long it would be."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(content)
    while True:
        await response.write(_PIECE)


async def slow(world: World, request: web.BaseRequest, content: bytes) -> web.StreamResponse:
    """A byte now and then, for `hang_s`, then all that is left."""
    response = web.StreamResponse(headers={"Content-Length": str(len(content))})
    await response.prepare(request)
    count = min(int(world.config.faults.hang_s / _TRICKLE_S), len(content))
    for place in range(count):
        await response.write(content[place : place + 1])
        await asyncio.sleep(_TRICKLE_S)
    await response.write(content[count:])
    return response


async def short(_world: World, request: web.BaseRequest, content: bytes) -> web.StreamResponse:
    """Says it is twice as long as it is, and closes."""
    response = web.StreamResponse(headers={"Content-Length": str(2 * len(content))})
    await response.prepare(request)
    await response.write(content)
    if request.transport is not None:
        request.transport.close()
    return response


async def redirect(world: World, _request: web.BaseRequest, _content: bytes) -> web.StreamResponse:
    """Sends the asker to `media_redirect`."""
    return web.Response(status=302, headers={"Location": world.config.faults.media_redirect})


async def moved(world: World, _request: web.BaseRequest, content: bytes) -> web.StreamResponse:
    """404 for the first url, as if it had grown too old; works for the next."""
    world.counts["moved"] += 1
    if world.counts["moved"] % 2:
        return web.Response(status=404)
    return web.Response(body=content, headers={"Content-Type": "image/png"})


async def packed(_world: World, _request: web.BaseRequest, content: bytes) -> web.StreamResponse:
    """Compressed, though it was asked for as it is."""
    return web.Response(body=gzip.compress(content), headers={"Content-Encoding": "gzip"})


MISBEHAVING: Mapping[str, Callable[[World, web.BaseRequest, bytes], Awaitable[web.StreamResponse]]] = {
    f"sample-{fault.__name__}": fault for fault in (endless, slow, short, redirect, moved, packed)
}
