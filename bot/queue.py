"""The doorbell: an RQ job carries nothing, may ring twice or never, and may be lost with Redis. bot.worker answers."""

import contextlib

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from rq.timeouts import BaseTimeoutException

log = structlog.get_logger()

PUMPS = {
    "intake": "webhooks.jobs.apply_events",
    "send": "bot.messages.jobs.drain_outbox",
    "bulk": "broadcasts.jobs.work",
    "media": "bot.media.jobs.fetch_media",
    "export": "bot.insights.leaving.work",
}
"""Queue name → the pump its one worker process runs. The Procfile has a line for each; a test insists."""

JobTimeoutError = BaseTimeoutException
"""Raised into a pump by RQ, wherever it happens to be; nobody may take it for a fault of the work at hand."""

_JOB_S = 120
_LONG_S = {"export": 12 * 3600}
"""Pumps whose work cannot be cut into slices."""
_RUNG_S = 5


def connect(url: str) -> Redis:
    """A client that gives up at once: whoever asks has something better to do than wait for Redis."""
    return Redis.from_url(
        url,
        socket_connect_timeout=1,
        socket_timeout=1,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,  # to say which version it is, each connection would read the package's metadata anew: 1 ms
    )


def ring(redis: Redis, queue: str) -> bool:
    """Ask for a run of the queue's pump; rings that nobody has answered yet are one ring. False if Redis is away.

    Call it after the commit. Nothing depends on its success: the clock's sweep finds what no ring announced.
    """
    try:
        if redis.set(_rung_key(queue), 1, nx=True, ex=_RUNG_S):
            Queue(queue, connection=redis, serializer=JSONSerializer).enqueue(
                PUMPS[queue],
                job_timeout=longest(queue),
                result_ttl=0,
                failure_ttl=259_200,
                description=queue,
            )
    except RedisError as error:
        log.warning("doorbell.failed", queue=queue, error=type(error).__name__)
        return False
    return True


def answer(redis: Redis, queue: str) -> None:
    """Called by a pump before it first looks, so that whatever is committed from now on rings again."""
    with contextlib.suppress(RedisError):
        redis.delete(_rung_key(queue))


def longest(queue: str) -> int:
    """Seconds that a run of its pump may take."""
    return _LONG_S.get(queue, _JOB_S)


def workers_seen(redis: Redis) -> dict[str, int]:
    """Live worker processes per queue, as Redis knows them; raises RedisError."""
    seen = dict.fromkeys(PUMPS, 0)
    for worker in Worker.all(connection=redis):
        for name in worker.queue_names():
            if name in seen:
                seen[name] += 1
    return seen


def _rung_key(queue: str) -> str:
    return f"backchat:rung:{queue}"
