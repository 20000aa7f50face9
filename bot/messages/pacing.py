"""How fast a number may send: one token bucket per number in Redis, shared by every sender on every host."""

import time
from dataclasses import dataclass, field

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

# KEYS[1] bucket; ARGV: rate per second, burst, wanted. Redis's own clock, so hosts need not agree on theirs.
_TAKE = """
local now = redis.call('TIME')
local at = now[1] + now[2] / 1000000
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(burst, (tonumber(kept[1]) or burst) + math.max(0, at - (tonumber(kept[2]) or at)) * rate)
local granted = math.min(wanted, math.floor(tokens))
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - granted), 'at', string.format('%.6f', at))
redis.call('EXPIRE', KEYS[1], 60)
return granted
"""


def burst_of(rate: int) -> int:
    """A quarter of a second's worth: a full bucket must not break the provider's own per-second count."""
    return max(1, rate // 4)


@dataclass
class Bucket:
    """Permits for one number; without Redis this process keeps to the rate by itself."""

    redis: Redis
    number_id: int
    rate: int
    _tokens: float = field(default=1.0, init=False)
    _at: float = field(default_factory=time.monotonic, init=False)

    def take(self, wanted: int) -> int:
        """Up to `wanted` permits, now; 0 means wait about 1/rate seconds."""
        key = f"backchat:pace:{self.number_id}"
        try:
            return int(self.redis.eval(_TAKE, 1, key, self.rate, burst_of(self.rate), wanted))
        except RedisError as error:
            log.warning("pacing.local", number=self.number_id, error=type(error).__name__)
            return self._take_here(wanted)

    def _take_here(self, wanted: int) -> int:
        now = time.monotonic()
        self._tokens = min(burst_of(self.rate), self._tokens + (now - self._at) * self.rate)
        self._at = now
        granted = min(wanted, int(self._tokens))
        self._tokens -= granted
        return granted
