"""How a faulty answer looks on the wire."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from simulator.graph import GraphError
from simulator.world import World

HTML = b"<!DOCTYPE html><html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Acceptable(Protocol):
    """What of a checked send a fault needs."""

    world: World

    async def accept(self, *, at_once: bool = False) -> bytes: ...


Misbehaviour = Callable[[Acceptable, web.BaseRequest], Awaitable[web.StreamResponse]]


def hang_up(request: web.BaseRequest, *, reset: bool = False) -> web.Response:
    """Close the connection without an answer, with an orderly end or a reset."""
    transport = request.transport
    if transport is not None:
        if reset:
            raw = transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()
    return web.Response(status=500)


def _refuse(code: int) -> Misbehaviour:
    async def misbehave(_draft: Acceptable, _request: web.BaseRequest) -> web.StreamResponse:
        raise GraphError(code, "Refused by the simulator's fault plan.")

    return misbehave


def _server_error(*, accept: bool) -> Misbehaviour:
    async def misbehave(draft: Acceptable, _request: web.BaseRequest) -> web.StreamResponse:
        if accept:
            await draft.accept()
        raise GraphError(131000)

    return misbehave


def _drop(*, accept: bool) -> Misbehaviour:
    async def misbehave(draft: Acceptable, request: web.BaseRequest) -> web.StreamResponse:
        if accept:
            await draft.accept()
        return hang_up(request)

    return misbehave


async def _reset_before(_draft: Acceptable, request: web.BaseRequest) -> web.StreamResponse:
    return hang_up(request, reset=True)


async def _reset_after(draft: Acceptable, request: web.BaseRequest) -> web.StreamResponse:
    """Accepted; the connection is reset in the middle of the answer."""
    body = await draft.accept()
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await asyncio.sleep(0.05)
    hang_up(request, reset=True)
    return response


def _spoil(change: Callable[[bytes], bytes], content_type: str = "application/json") -> Misbehaviour:
    async def misbehave(draft: Acceptable, _request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=change(await draft.accept()), content_type=content_type)

    return misbehave


async def _hang(draft: Acceptable, _request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(draft.world.config.faults.hang_s)
    return web.Response(body=await draft.accept(), content_type="application/json")


async def _slow(draft: Acceptable, _request: web.BaseRequest) -> web.StreamResponse:
    """The statuses are out before the answer is."""
    body = await draft.accept(at_once=True)
    await asyncio.sleep(draft.world.config.faults.slow_s)
    return web.Response(body=body, content_type="application/json")


async def _hold(draft: Acceptable, _request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=await draft.accept(), content_type="application/json")


async def _close_idle(draft: Acceptable, request: web.BaseRequest) -> web.StreamResponse:
    """A good answer on a connection that is closed a moment later without a word."""
    if request.transport is not None:
        asyncio.get_running_loop().call_later(draft.world.config.faults.idle_close_s, request.transport.close)
    return web.Response(body=await draft.accept(), content_type="application/json")


MISBEHAVIOURS: dict[str, Misbehaviour] = {
    **{str(code): _refuse(code) for code in (131026, 131049, 131050, 131056, 130429, 190)},
    "server_error_before": _server_error(accept=False),
    "server_error_after": _server_error(accept=True),
    "drop_before": _drop(accept=False),
    "drop_after": _drop(accept=True),
    "reset_before": _reset_before,
    "reset_after": _reset_after,
    "garbage": _spoil(lambda _: b"\x00\xff}{ not json"),
    "empty": _spoil(lambda _: b""),
    "truncated": _spoil(lambda body: body[: len(body) // 2]),
    "html": _spoil(lambda _: HTML, "text/html"),
    "hang": _hang,
    "slow": _slow,
    "held": _hold,
    "close_idle": _close_idle,
}
