"""One attempt, one HTTP request: no library retries, no redirects; what an exception proves decides what it means."""

import asyncio
import time
from types import SimpleNamespace

import aiohttp

from bot import failpoints
from bot.providers.base import Account, Action, HttpRequest, OutboundMessage, Outcome, Provider, UnsendableError

CONNECT_S = 3.0
STALE_AFTER_S = 20.0
"""A sender that slept longer than this between the wire mark and the write does not write."""

# Shorter than any peer's, so that we never write into a connection that is just being closed.
_KEEP_ALIVE_S = 4.0


def open_session(timeout_s: float) -> aiohttp.ClientSession:
    """The pump's HTTP client: `timeout_s` for a whole attempt, most of it for getting a connection at most.

    The numbers share it, so it bounds no connections: one whose provider hangs would leave the others none.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout_s, connect=0.8 * timeout_s, sock_connect=CONNECT_S),
        trace_configs=[_tracing()] if failpoints.armed() else None,
    )


async def deliver(
    http: aiohttp.ClientSession,
    provider: Provider,
    account: Account,
    provider_number_id: str,
    message: OutboundMessage,
    marked_at: float,
) -> Outcome:
    """Send one message; `marked_at` is the monotonic time of its wire mark. Never raises."""
    try:
        request = provider.request(account, provider_number_id, message)
    except UnsendableError as error:
        return Outcome(Action.FAIL, text=str(error))
    if time.monotonic() - marked_at > STALE_AFTER_S:
        return Outcome(Action.UNREACHABLE, text="the sender was held up before writing")
    try:
        status, body = await _exchange(http, request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        return Outcome(Action.UNREACHABLE, text=f"cannot connect to the provider ({type(error).__name__})")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Outcome(Action.UNKNOWN, text=f"no readable answer ({type(error).__name__})")
    failpoints.hit("FP7")
    return provider.outcome(status, body)


async def _exchange(http: aiohttp.ClientSession, request: HttpRequest) -> tuple[int, bytes]:
    async with http.request(
        request.method, request.url, data=request.body, headers=request.headers, allow_redirects=False
    ) as response:
        return response.status, await response.read()


def _tracing() -> aiohttp.TraceConfig:
    """Failpoints inside a request: connected (FP4), headers written (FP5), body written and unanswered (FP6)."""

    async def connected(*_: object) -> None:
        failpoints.hit("FP4")

    async def headers_sent(*_: object) -> None:
        failpoints.hit("FP5")

    async def body_sent(*_: object) -> None:
        # Told just before the write: a few turns of the loop later the bytes are out and no answer was read.
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, loop.call_soon, _hit_fp6)

    trace = aiohttp.TraceConfig(trace_config_ctx_factory=SimpleNamespace)
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    trace.on_request_headers_sent.append(headers_sent)
    trace.on_request_chunk_sent.append(body_sent)
    return trace


def _hit_fp6() -> None:
    if failpoints.armed("FP6"):
        time.sleep(0.2)  # the loop stands still: the answer may arrive, but nobody reads it
        failpoints.hit("FP6")
