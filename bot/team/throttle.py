"""How often somebody may try a password: counted in Redis, and not at all while Redis is away."""

import hashlib

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

WITHIN_S = 15 * 60
PER_ACCOUNT_AND_ADDRESS = 5
"""Counted by the pair, so that an attacker elsewhere cannot lock a team member out."""
PER_ADDRESS = 50
"""Against trying one password on many accounts."""
PER_CODE = 6
"""Of a million codes; three of them are right at any time."""


def seconds_to_wait(redis: Redis, email: str, address: str) -> int:
    """Count a try about to be made; 0 if it may be made, else how many seconds until the next may."""
    waits = [
        _count(redis, _pair(email, address), PER_ACCOUNT_AND_ADDRESS),
        _count(redis, _key(address), PER_ADDRESS),
    ]
    return max(waits)


def seconds_to_wait_for_code(redis: Redis, operator_id: int) -> int:
    """As above, for a code of the second factor: by the account alone, as whoever tries knows the password already."""
    return _count(redis, _key(f"code {operator_id}"), PER_CODE)


def seconds_to_wait_for_provider(redis: Redis, address: str) -> int:
    """As above, for asking the identity provider: each try costs it and us, and a success forgets those before."""
    return _count(redis, _key(f"provider {address}"), PER_ADDRESS)


def forget_provider(redis: Redis, address: str) -> None:
    _forget(redis, _key(f"provider {address}"))


def forget_codes(redis: Redis, operator_id: int) -> None:
    _forget(redis, _key(f"code {operator_id}"))


def forget(redis: Redis, email: str, address: str) -> None:
    """Called after a success, so that yesterday's slips do not count today."""
    _forget(redis, _pair(email, address))


def _forget(redis: Redis, key: str) -> None:
    try:
        redis.delete(key)
    except RedisError as error:
        log.warning("throttle.redis_away", error=type(error).__name__)


def _count(redis: Redis, key: str, limit: int) -> int:
    try:
        with redis.pipeline() as pipe:
            pipe.set(key, 0, nx=True, ex=WITHIN_S)
            pipe.incr(key)
            pipe.ttl(key)
            _, tries, left = pipe.execute()
    except RedisError as error:
        log.warning("throttle.redis_away", error=type(error).__name__)
        return 0
    return max(int(left), 1) if int(tries) > limit else 0


def _pair(email: str, address: str) -> str:
    return _key(f"{email.strip().lower()} {address}")


def _key(what: str) -> str:
    """Redis holds no e-mail and no address, only what they hash to."""
    return "backchat:tries:" + hashlib.sha256(what.encode()).hexdigest()[:32]
