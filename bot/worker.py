"""A worker: RQ's, told to end at any moment and at home without Redis. Whom it has forked it waits for."""

import contextlib
import os
import signal
import socket
import time
import uuid
from collections.abc import Callable
from types import FrameType
from typing import Any

import structlog
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus
from sqlalchemy.exc import DBAPIError

from bot import ending
from bot.host.lifeline import die_with_parent
from bot.queue import longest

log = structlog.get_logger()

_OVERDUE_S = 60.0
"""Whoever is at work for so much longer than a job may take hangs, and is killed."""
_LOOK_AGAIN_S = 0.05


def run_worker(redis: Redis, queue: str, pump: Callable[[], None], prepare_horse: Callable[[], object]) -> None:
    """Serve one queue until told to stop; while Redis is away, run the pump once a second without being rung.

    `prepare_horse` runs first in each forked work-horse: it must replace whatever does not survive a fork. Whatever
    ends this, Redis included, the horse is asked to end and waited for: what it has on the wire would come into doubt.
    """
    ending.listen(ending.note)
    while not ending.is_told():
        try:
            with contextlib.suppress(StopRequested):
                _serve(redis, queue, prepare_horse)
        except RedisError as error:
            log.warning("worker.redis_away", queue=queue, error=type(error).__name__)
            if not ending.is_told():
                _in_child(prepare_horse, pump, longest(queue) + _OVERDUE_S)
        if not ending.is_told():
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
        ending.listen(ending.note)
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
        ending.note(signum, frame)
        self._ask_horse()
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested
        self._stop_requested = True

    def _install_signal_handlers(self) -> None:
        ending.listen(self.request_stop)
        if ending.is_told():  # it was told when RQ did not listen yet
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
        self._overdue_at = time.monotonic() + longest(queue.name) + _OVERDUE_S
        with ending.held_back():
            super().fork_work_horse(job, queue)
        if ending.is_told():  # it was told when it did not know its horse yet
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
            ending.ask(self._horse_pid)


def _in_child(prepare_horse: Callable[[], object], pump: Callable[[], None], longest_s: float) -> None:
    with ending.held_back():
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
            ending.note(signum, frame)
            ending.ask(child)

        ending.listen(pass_on)
    overdue_at = time.monotonic() + longest_s
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > overdue_at:
            os.kill(child, signal.SIGKILL)
        time.sleep(_LOOK_AGAIN_S)
    ending.listen(ending.note)


def _begin(prepare_horse: Callable[[], object]) -> None:
    """First in a child."""
    die_with_parent()
    ending.begin_child()
    prepare_horse()
