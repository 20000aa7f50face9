"""Whether the servers that somebody else runs let us in, and are new enough."""

import redis
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from bot.host.checks import HostError

OLDEST_REDIS = (6, 2)  # LMOVE, without which RQ can lose a job between two lists


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
