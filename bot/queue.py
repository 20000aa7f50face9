"""The one door to RQ. A job is a doorbell: it carries nothing, may ring twice or never, and may be lost with Redis."""

import contextlib
import os
import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import BaseTimeoutException
from rq.worker import WorkerStatus
from sqlalchemy.exc import DBAPIError

from bot.host.lifeline import die_with_parent

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
_OVERDUE_S = 60.0
"""Whoever is at work for so much longer than a job may take hangs, and is killed."""
_RUNG_S = 5
_LOOK_AGAIN_S = 0.05
_ASK_TO_END = signal.SIGUSR1
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, _ASK_TO_END)
_told: list[int] = []
"""Signals that have asked this process to end. A handler may be interrupted by the next one: if it takes a lock, as an
Event's would, it then waits for itself."""


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
                job_timeout=_longest(queue),
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


def is_ending() -> bool:
    """Whether this worker was told to stop: a pump then finishes what is in its hands and returns."""
    return bool(_told)


def workers_seen(redis: Redis) -> dict[str, int]:
    """Live worker processes per queue, as Redis knows them; raises RedisError."""
    seen = dict.fromkeys(PUMPS, 0)
    for worker in Worker.all(connection=redis):
        for name in worker.queue_names():
            if name in seen:
                seen[name] += 1
    return seen


def run_worker(redis: Redis, queue: str, pump: Callable[[], None], prepare_horse: Callable[[], object]) -> None:
    """Serve one queue until told to stop; while Redis is away, run the pump once a second without being rung.

    `prepare_horse` runs first in each forked work-horse: it must replace whatever does not survive a fork. Whatever
    ends this, Redis included, the horse is asked to end and waited for: what it has on the wire would come into doubt.
    """
    _on_ending(_note)
    while not is_ending():
        try:
            with contextlib.suppress(StopRequested):
                _serve(redis, queue, prepare_horse)
        except RedisError as error:
            log.warning("worker.redis_away", queue=queue, error=type(error).__name__)
            if not is_ending():
                _in_child(prepare_horse, pump, _longest(queue) + _OVERDUE_S)
        if not is_ending():
            time.sleep(1)


def _serve(redis: Redis, queue: str, prepare_horse: Callable[[], object]) -> None:
    """Returns when RQ gives up, told to stop or not; raises RedisError, and StopRequested where RQ lets it through."""
    redis.ping()  # one that hangs is found out sooner by a client that does not wait for jobs
    pool = redis.connection_pool
    patient = Redis(connection_pool=type(pool)(pool.connection_class, **pool.connection_kwargs))
    worker = _Worker(  # which speaks to Redis already, and makes its client as patient as it must be
        [Queue(queue, connection=patient, serializer=JSONSerializer)],
        name=f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}",
        connection=patient,
        serializer=JSONSerializer,
        worker_ttl=60,
        job_monitoring_interval=10,
        maintenance_interval=30,
        log_job_description=False,
    )
    worker.prepare_horse = prepare_horse
    try:
        worker.work(logging_level="WARNING")
    finally:
        _on_ending(_note)
        worker.see_off()


class _Worker(Worker):
    """RQ's forking worker; its horse dies with it, where RQ's own would go on and be started a second time."""

    prepare_horse: Callable[[], object]
    dequeue_timeout = 5
    connection_timeout = 7
    """A Redis that does not answer is noticed after so long, and `run_worker` runs the pump meanwhile."""
    max_connection_wait_time = 1.0
    """RQ would double it whenever Redis is away, and not hear of any ring meanwhile."""
    _overdue_at = 0.0
    _lost: RedisError | None = None

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """RQ would wait for the pump's whole slice, or kill it if told twice; ours is asked to end at the next row."""
        _note(signum, frame)
        self._ask_horse()
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested
        self._stop_requested = True

    def _install_signal_handlers(self) -> None:
        _on_ending(self.request_stop)
        if is_ending():  # it was told when RQ did not listen yet
            raise StopRequested

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ would wait for a Redis that is away; `run_worker` runs the pump meanwhile."""
        try:
            super().heartbeat(timeout, pipeline)
        except RedisError as error:
            self._lost = error
            raise StopRequested from None

    def teardown(self) -> None:
        if self._lost:  # asked once more, one that hangs would hold us up
            raise self._lost
        super().teardown()  # type: ignore[no-untyped-call]  # RQ is typed in part only

    def handle_job_failure(self, job: Job, queue: Queue, *given: Any, **named: Any) -> None:  # noqa: ANN401 (as RQ)
        """RQ would keep the traceback in Redis, and an error's text may quote what people wrote; the log has it."""
        super().handle_job_failure(job, queue, *given, **{**named, "exc_string": "told in the worker's log"})

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        self._overdue_at = time.monotonic() + float(job.timeout or _JOB_S) + _OVERDUE_S
        with _held_back():
            super().fork_work_horse(job, queue)
        if is_ending():  # it was told when it did not know its horse yet
            self._ask_horse()

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        _begin(self.prepare_horse)
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        """RQ's horse would die of a SIGTERM, which systemd and container platforms send to every process at once."""

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """RQ does so when the horse is overdue by a clock that somebody may have set."""
        if time.monotonic() < self._overdue_at:
            self._ask_horse()
        else:
            super().kill_horse(sig)

    def see_off(self) -> None:
        """Wait for the horse if RQ has left it at work, as it does when it cannot tell Redis something meanwhile."""
        if self._horse_pid:
            self._ask_horse()
            self.wait_for_horse()

    def _ask_horse(self) -> None:
        if self._horse_pid:
            _ask(self._horse_pid)


def _in_child(prepare_horse: Callable[[], object], pump: Callable[[], None], longest_s: float) -> None:
    with _held_back():
        child = os.fork()
        if child == 0:
            try:
                _begin(prepare_horse)
                pump()
            except DBAPIError as error:
                log.warning("worker.database", error=type(error.orig).__name__)
            except Exception:
                log.exception("worker.pump_failed")
            finally:
                os._exit(0)

        def pass_on(signum: int, frame: FrameType | None) -> None:
            _note(signum, frame)
            _ask(child)

        _on_ending(pass_on)
    overdue_at = time.monotonic() + longest_s
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > overdue_at:
            os.kill(child, signal.SIGKILL)
        time.sleep(_LOOK_AGAIN_S)
    _on_ending(_note)


def _begin(prepare_horse: Callable[[], object]) -> None:
    """In a child: whatever asks it to stop asks it to end at the next row; Ctrl-C reaches it by its parent."""
    die_with_parent()
    _on_ending(_note)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    prepare_horse()


def _note(signum: int, _: FrameType | None) -> None:
    _told.append(signum)


def _ask(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, _ASK_TO_END)


def _on_ending(handler: Callable[[int, FrameType | None], object]) -> None:
    for sig in _ENDING:
        signal.signal(sig, handler)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Around a fork: what asks either process to end waits until that has put its own handlers in place."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def _longest(queue: str) -> int:
    """Seconds that a run of its pump may take."""
    return _LONG_S.get(queue, _JOB_S)


def _rung_key(queue: str) -> str:
    return f"backchat:rung:{queue}"
