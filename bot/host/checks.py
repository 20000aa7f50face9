"""What can be wrong with a machine, each told in one sentence that says what to do."""

import errno
import os
import socket
from pathlib import Path

import redis
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

OLDEST_REDIS = (6, 2)  # LMOVE, without which RQ can lose a job between two lists


class HostError(Exception):
    """A sentence for the person at the terminal; commands print it without a traceback and exit with 1."""


def ensure_folder(folder: Path, variable: str = "BACKCHAT_HOME") -> Path:
    """Create `folder` (0700) when missing and prove that it takes a file, else HostError; an existing mode is kept."""
    folder = folder.expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        proof = folder / f".writable-{os.getpid()}"
        proof.touch()
        proof.unlink()
    except OSError as error:
        raise HostError(
            f"Cannot write to {folder} ({error.strerror}): make it writable or set {variable} to a folder that is."
        ) from error
    return folder


def check_port(host: str, port: int) -> None:
    """HostError unless `port` on `host` can be listened on."""
    remedies = {
        errno.EADDRINUSE: f"Port {port} on {host} is in use: stop what listens there, or set PORT to a free one.",
        errno.EACCES: f"Port {port} is reserved for root: set PORT to one above 1023.",
    }
    if not 0 < port < 65536:
        raise HostError(f"There is no port {port}: set PORT to one from 1 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port in TIME_WAIT is free
            probe.bind(address)
    except OSError as error:
        otherwise = f"Cannot listen on {host} ({error.strerror}): set BACKCHAT_HOST to an address of this machine."
        raise HostError(remedies.get(error.errno or 0, otherwise)) from error


def check_database(url: str) -> None:
    """HostError unless the PostgreSQL at this SQLAlchemy URL lets us in; the password is never part of the sentence."""
    parts = make_url(url)
    engine = create_engine(parts, poolclass=NullPool, connect_args={"connect_timeout": 5})
    try:
        engine.connect().close()
    except DBAPIError as error:
        where = f"{parts.database} at {parts.host or parts.query.get('host', 'the local socket')}"
        raise HostError(
            f"Cannot reach the database {where} ({_reason(error.orig)}): start it, or correct DATABASE_URL."
        ) from error


def check_redis(url: str) -> None:
    """HostError unless a Redis of OLDEST_REDIS or newer answers at `url`; the password never is in the sentence."""
    where = url.rpartition("@")[2]
    try:
        # Protocol 2, so that a server too old for 3 still says which version it is.
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5, protocol=2) as client:
            version = str(client.info("server")["redis_version"])
    except (redis.RedisError, OSError) as error:
        raise HostError(f"Cannot reach Redis at {where} ({_reason(error)}): start it, or correct REDIS_URL.") from error
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        raise HostError(f"Redis at {where} is {version}: Backchat needs 6.2 or newer; set REDIS_URL to such a one.")


def _reason(error: BaseException | None) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__
