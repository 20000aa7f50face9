"""How fast a number, or one broadcast, may send: a token bucket in Redis, shared by every sender on every host.

A number learns: "too fast" halves its rate, which then rises again to what its operator allows.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

# Redis's own clock, so hosts need not agree on theirs. What was learned rises again to the whole rate in a minute.
_NOW = """
local now = redis.call('TIME')
local at = now[1] + now[2] / 1000000
local full = tonumber(ARGV[1])
local rate = full
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'learned', 'learned_at')
if kept[3] then rate = math.min(full, tonumber(kept[3]) + (at - tonumber(kept[4])) * full / 60) end
"""

# KEYS[1] bucket; ARGV: rate per second, wanted.
_TAKE = (
    _NOW
    + """
local burst = math.max(1, math.floor(rate / 4))
local tokens = math.min(burst, (tonumber(kept[1]) or burst) + math.max(0, at - (tonumber(kept[2]) or at)) * rate)
local granted = math.min(tonumber(ARGV[2]), math.floor(tokens))
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - granted), 'at', string.format('%.6f', at))
redis.call('EXPIRE', KEYS[1], 60)
return {granted, math.ceil(rate)}
"""
)

# Answers to one burst come together: half the rate at most once a second, and never below a sixteenth.
_SLOW = (
    _NOW
    + """
if not kept[4] or at - tonumber(kept[4]) >= 1 then
    if rate >= full then redis.call('HSET', KEYS[1], 'since', string.format('%.6f', at)) end
    rate = math.max(full / 16, rate / 2)
    redis.call('HSET', KEYS[1], 'learned', tostring(rate), 'learned_at', string.format('%.6f', at), 'tokens', '0',
               'at', string.format('%.6f', at))
    redis.call('EXPIRE', KEYS[1], 60)
end
return math.ceil(rate)
"""
)

# ARGV: rate per second. Nothing where nothing was learned, or it has risen again.
_LEARNED = (
    _NOW
    + """
if rate >= full then return nil end
local whole_at = tonumber(kept[4]) + (full - tonumber(kept[3])) * 60 / full
return {math.ceil(rate), redis.call('HGET', KEYS[1], 'since') or kept[4], string.format('%.0f', whole_at)}
"""
)


@dataclass(frozen=True, slots=True)
class Learned:
    """A number that was told "too fast" sends fewer for a while."""

    per_s: int
    """As of now, instead of `rate`."""
    rate: int
    since: datetime
    """The first such answer since it last had its whole rate."""
    whole_at: datetime
    """When it has it again, if it is told nothing more."""


def learned(redis: Redis, number_id: int, rate: int) -> Learned | None:
    """None while it may send at its whole rate, and where Redis cannot be asked."""
    try:
        found = redis.eval(_LEARNED, 1, _key(number_id), rate)
    except RedisError:
        return None
    if found is None:
        return None
    per_s, since, whole_at = found
    return Learned(int(per_s), rate, *(datetime.fromtimestamp(float(at), UTC) for at in (since, whole_at)))


def burst_of(rate: int) -> int:
    """A quarter of a second's worth: a full bucket must not break the provider's own per-second count."""
    return max(1, rate // 4)


@dataclass
class Bucket:
    """Permits for one number, or one broadcast; without Redis this process keeps to the rate by itself."""

    redis: Redis
    name: int | str
    rate: int
    """What the operator allows."""
    rate_now: int = 0
    """What the number may send per second as it has learned, when it was last asked."""
    _tokens: float = field(default=1.0, init=False)
    _at: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        self.rate_now = self.rate

    def take(self, wanted: int) -> int:
        """Up to `wanted` permits, now; 0 means wait about 1/rate seconds."""
        try:
            granted, self.rate_now = self.redis.eval(_TAKE, 1, _key(self.name), self.rate, wanted)
        except RedisError as error:
            log.warning("pacing.local", of=self.name, error=type(error).__name__)
            return self._take_here(wanted)
        return int(granted)

    def slow(self) -> bool:
        """The provider said "too fast": half of what it was, for everybody. False if nobody could be told."""
        try:
            self.rate_now = int(self.redis.eval(_SLOW, 1, _key(self.name), self.rate))
        except RedisError:
            return False
        log.warning("pacing.slowed", of=self.name, per_s=self.rate_now)
        return True

    def _take_here(self, wanted: int) -> int:
        now = time.monotonic()
        self._tokens = min(burst_of(self.rate), self._tokens + (now - self._at) * self.rate)
        self._at = now
        granted = min(wanted, int(self._tokens))
        self._tokens -= granted
        return granted


def _key(name: int | str) -> str:
    return f"backchat:pace:{name}"
