"""A worker told to end, at any moment and without Redis: its horse ends by itself, and the worker waits for it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot import queue
from tests.harness.servers import own_redis

TOLD_WITHIN = """
import signal, sys
from bot import ending, worker

worker._begin(lambda: None)
seen = set()

def tell_again(frame, event, argument):
    place = (frame.f_code, frame.f_lineno, event)
    if place not in seen:
        seen.add(place)
        signal.raise_signal(signal.{second})
    return tell_again

sys.settrace(tell_again)
signal.raise_signal(signal.{first})
sys.settrace(None)
print(ending.is_told())
"""

WORKER = """
import os, signal, sys, time
import structlog
from bot import ending, queue, worker

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

def pump():
    print("at work", flush=True)
    end = time.monotonic() + 15
    while not ending.is_told() and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.5)  # to hear what is still on the wire
    print("told" if ending.is_told() else "not told", flush=True)

{trouble}

queue.PUMPS["send"] = "__main__.pump"
redis = queue.connect(sys.argv[1])
queue.ring(redis, "send")
worker.run_worker(redis, "send", globals().get("look", pump), lambda: None)
"""

TELLING_FORK = """
fork = os.fork

def telling_fork():
    child = fork()
    if child:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)
        listen()
    return child

def listen():
    pass  # but Python looks for signals where a function begins

os.fork = telling_fork
"""

TOLD_AT_BIRTH = """
bootstrap = worker._Worker.bootstrap

def told_at_birth(worker, *given):
    bootstrap(worker, *given)
    os.kill(os.getpid(), signal.SIGTERM)

worker._Worker.bootstrap = told_at_birth
"""

QUICK_HEARTBEAT = """
begin = worker._Worker.__init__

def begin_quick(worker, *given, **named):
    begin(worker, *given, **{**named, "job_monitoring_interval": 1})

worker._Worker.__init__ = begin_quick
"""

JUMPING_CLOCK = f"""
{QUICK_HEARTBEAT}
from datetime import timedelta
from rq.worker import worker_classes
now = worker_classes.now
signal.signal(signal.SIGUSR2, lambda *_: setattr(worker_classes, "now", lambda: now() + timedelta(hours=1)))
"""

SLOW_TO_END = """
def pump():
    print("at work", flush=True)
    while not ending.is_told():
        time.sleep(0.01)
    time.sleep(3)
    print("told", flush=True)
"""

DEAF_PUMP = """
worker._OVERDUE_S = 1.0
queue._JOB_S = 0

def pump():
    print("at work", flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, ending._SIGNALS)
    time.sleep(60)
    print("still there", flush=True)
"""

LOOKING_PUMP = """
worker._Worker.dequeue_timeout, worker._Worker.connection_timeout = 1, 2

def pump():
    print("rung", flush=True)

def look():
    print("looked", flush=True)
"""


@pytest.mark.parametrize("first, second", [("SIGUSR1", "SIGTERM"), ("SIGTERM", "SIGUSR1"), ("SIGTERM", "SIGTERM")])
def test_a_work_horse_told_to_end_while_it_is_being_told_does_not_hang(first: str, second: str) -> None:
    """By its worker and by whoever stopped all processes at once; between any two lines of the handler."""
    code = TOLD_WITHIN.format(first=first, second=second)
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, "True\n", "")


@pytest.mark.parametrize("redis", ["there", "away"])
def test_a_worker_told_to_end_while_it_forks_hands_that_on_to_its_horse(redis: str) -> None:
    with own_redis() as server:
        if redis == "away":
            server.stop()
        with working(server.url, TELLING_FORK) as worker:
            assert ending(worker) == (0, ["at work", "told"])


def test_a_worker_told_to_end_before_it_listens_ends() -> None:
    with own_redis() as server, working(server.url, TOLD_AT_BIRTH) as worker:
        assert ending(worker) == (0, [])


def test_a_worker_told_to_end_while_redis_is_away_waits_for_its_horse() -> None:
    with own_redis() as server, working(server.url) as worker:
        assert line(worker) == "at work"
        server.stop()
        worker.send_signal(signal.SIGTERM)
        assert ending(worker) == (0, ["told"])


def test_a_worker_that_finds_redis_away_at_a_heartbeat_sees_its_horse_off_first_and_then_looks_by_itself() -> None:
    with own_redis() as server, working(server.url, QUICK_HEARTBEAT) as worker:
        assert line(worker) == "at work"
        server.stop()
        assert [line(worker), line(worker)] == ["told", "at work"]
        worker.send_signal(signal.SIGTERM)
        assert ending(worker) == (0, ["told"])


def test_a_worker_looks_by_itself_again_and_again_while_redis_is_away_and_listens_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(queue.PUMPS, "send", "__main__.pump")
    with own_redis() as server:
        server.stop()
        with working(server.url, LOOKING_PUMP) as worker:
            assert [line(worker) for _ in range(3)] == ["looked"] * 3
            server.revive()
            assert queue.ring(queue.connect(server.url), "send")
            while line(worker) == "looked":
                pass
            worker.send_signal(signal.SIGTERM)
            assert ending(worker) == (0, [])


@pytest.mark.parametrize("signs", [["SIGTERM", "SIGTERM"], ["SIGHUP"], ["SIGINT", "SIGTERM"]])
def test_a_worker_told_to_end_twice_or_by_a_terminal_that_closes_waits_for_its_horse(signs: list[str]) -> None:
    with own_redis() as server, working(server.url, SLOW_TO_END) as worker:
        assert line(worker) == "at work"
        for sign in signs:
            worker.send_signal(signal.Signals[sign])
            time.sleep(1.1)  # RQ takes what comes within a second for one
        assert ending(worker) == (0, ["told"])


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGSTOP])
def test_an_idle_worker_looks_by_itself_once_redis_is_gone_or_answers_nothing(sign: signal.Signals) -> None:
    with own_redis() as server, working(server.url, LOOKING_PUMP) as worker:
        assert line(worker) == "rung"
        os.kill(server.pid, sign)
        try:
            assert [line(worker) for _ in range(3)] == ["looked"] * 3
            worker.send_signal(signal.SIGTERM)
            assert ending(worker)[0] == 0
        finally:
            os.kill(server.pid, signal.SIGCONT)


def test_a_clock_that_jumps_kills_no_horse() -> None:
    with own_redis() as server, working(server.url, JUMPING_CLOCK) as worker:
        assert line(worker) == "at work"
        worker.send_signal(signal.SIGUSR2)
        assert line(worker) == "told"


def test_a_pump_that_hangs_while_redis_is_away_is_ended_by_force_and_begun_anew() -> None:
    with own_redis() as server:
        server.stop()
        with working(server.url, DEAF_PUMP) as worker:
            assert [line(worker), line(worker)] == ["at work"] * 2


@contextmanager
def working(redis_url: str, trouble: str = "") -> Iterator[subprocess.Popen[str]]:
    """A worker whose pump goes on until it is told to end, and says whether it was."""
    command = [sys.executable, "-c", WORKER.format(trouble=trouble), redis_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def line(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    said = worker.stdout.readline().rstrip()
    assert said, "the worker has ended; its error stands above"
    return said


def ending(worker: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Its exit code and what its pump still said."""
    said, _ = worker.communicate(timeout=60)
    return worker.returncode, said.splitlines()
