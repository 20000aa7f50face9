"""How a process of ours is told to end, by as many signals as anybody sends it, and passes that on to its child."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType

_ASK = signal.SIGUSR1
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, _ASK)
_told: list[int] = []
"""Signals that have asked this process to end. A handler may be interrupted by the next one: if it takes a lock, as an
Event's would, it then waits for itself."""


def is_told() -> bool:
    """Whether this worker was told to stop: a pump then finishes what is in its hands and returns."""
    return bool(_told)


def note(signum: int, _: FrameType | None) -> None:
    """A handler: `is_told` from now on."""
    _told.append(signum)


def ask(child: int) -> None:
    """Of a child that began as below: to end at the next row."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, _ASK)


def listen(handler: Callable[[int, FrameType | None], object]) -> None:
    """From now on whatever asks this process to end calls this."""
    for sig in _SIGNALS:
        signal.signal(sig, handler)


def begin_child() -> None:
    """In a child: whatever asks it to stop asks it to end at the next row; Ctrl-C reaches it by its parent."""
    listen(note)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Around a fork: what asks either process to end waits until that has put its own handlers in place."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
