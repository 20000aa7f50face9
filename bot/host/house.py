"""The house a Backchat lives in: its home folder, and a PostgreSQL and a Redis, given or our own."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from bot.host import lock, postgres, redis
from bot.host.checks import HostError, ensure_folder
from bot.host.reaching import check_database, check_redis
from bot.host.server import Server
from bot.settings import SERVERS_FILE

STOPPING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class House:
    """Addresses of the two servers; `servers` are those of them that are ours, for the supervisor to watch."""

    database_url: str
    redis_url: str
    servers: tuple[Server, ...]


@contextmanager
def open_house(home: Path, database_url: str | None, redis_url: str | None) -> Iterator[House]:
    """Own `home` until the end of the block, with a server of our own for each URL that is None; HostError if in vain.

    Their addresses are left in home/SERVERS_FILE meanwhile. Must be entered in the main thread: our servers die with
    the thread that started them, and SIGTERM becomes SystemExit, so that they are stopped in good order.
    """
    home = ensure_folder(home)
    with ExitStack() as stack:
        stack.enter_context(_unwinding_on_sigterm())
        stack.callback(os.close, _claim(home))
        servers = []
        if database_url is None:
            servers.append(_own(stack, postgres.start(home)))
        else:
            check_database(database_url)
        if redis_url is None:
            servers.append(_own(stack, redis.start(home)))
        else:
            check_redis(redis_url)
        ours = {"PostgreSQL": "database_url", "Redis": "redis_url"}
        stack.enter_context(_announced(home, {ours[server.name]: server.url for server in servers}))
        urls = {server.name: server.url for server in servers}
        stack.callback(_ignore_signals)
        yield House(database_url or urls["PostgreSQL"], redis_url or urls["Redis"], tuple(servers))


def _claim(home: Path) -> int:
    held = lock.claim(home / "lock")
    if held is None:
        pid = lock.signature(home / "lock")
        raise HostError(
            f"Backchat already runs in {home} (process {pid}): stop that one, or set BACKCHAT_HOME to another folder."
        )
    lock.sign(held)
    return held


def _own(stack: ExitStack, server: Server) -> Server:
    stack.callback(server.stop)
    return server


@contextmanager
def _announced(home: Path, urls: dict[str, str]) -> Iterator[None]:
    file, fresh = home / SERVERS_FILE, home / f"{SERVERS_FILE}.new"
    fresh.write_text(json.dumps(urls))
    fresh.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def _unwinding_on_sigterm() -> Iterator[None]:
    """SIGTERM unwinds the block as Ctrl-C does, instead of ending the process at once."""
    before = {number: signal.getsignal(number) for number in STOPPING}

    def unwind(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    """Whoever presses Ctrl-C again while our servers write their last does not cut them short."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
