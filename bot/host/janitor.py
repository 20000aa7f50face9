"""`python -m bot.host.janitor MARK`: waits for the supervisor at the other end of stdin to end, and sweeps up after it.

A supervisor that ends in good order says so first. One that was killed with -9 leaves children, which the kernel has
asked to end by then; whoever of MARK's family has not done so after PATIENCE_S is killed.
"""

import contextlib
import signal
import subprocess
import sys
import time

from bot.host import family

FAREWELL = b"bye"
PATIENCE_S = 5.0


class Janitor:
    """The supervisor's end: `launch()`, `alive()`, and `dismiss()` when there is nothing left to sweep."""

    name = "janitor"

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self._process: subprocess.Popen[bytes] | None = None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- this very file
            [sys.executable, "-m", "bot.host.janitor", self.mark],
            stdin=subprocess.PIPE,  # its other end closes when we end, in whatever way
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        if self._process is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.communicate(FAREWELL)


def main(mark: str) -> None:
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, signal.SIG_IGN)
    if sys.stdin.buffer.read() == FAREWELL:
        return
    deadline = time.monotonic() + PATIENCE_S
    while family.members(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    family.kill(mark)


if __name__ == "__main__":
    main(sys.argv[1])
