"""The supervisor behind `backchat run`: keeps processes running, and leaves none of them behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from bot.host import family, lifeline
from bot.host.checks import HostError
from bot.host.janitor import Janitor
from bot.host.output import Output
from bot.host.procfile import Process

GRACE_S = 20.0
BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # before the first, second, … restart in a row
SETTLED_S = 10.0  # who has lived as long starts the row anew
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Watched(Protocol):
    """Something with a life of its own that is only to be started again, as bot.host.server.Server is."""

    name: str

    def alive(self) -> bool: ...

    def launch(self) -> None: ...


def run(
    processes: Sequence[Process],
    *,
    servers: Iterable[Watched] = (),
    on_ready: Callable[[], None] | None = None,
) -> int:
    """Keep `processes` running until SIGINT, SIGTERM or SIGHUP, then stop them and return 0; for the main thread.

    Who ends is started again, which is told in one line, and so are `servers`, though stopping those is left to their
    owner. SIGTERM goes first, SIGKILL after GRACE_S or at a second signal. `on_ready` runs in a thread of its own once
    all are started, so it may wait until a page answers.
    """
    before = {number: signal.getsignal(number) for number in STOPPING}
    try:
        return asyncio.run(_Supervisor(processes).run(tuple(servers), on_ready))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Supervisor:
    def __init__(self, processes: Sequence[Process]) -> None:
        self.mark = uuid.uuid4().hex
        self.processes = processes
        self.output = Output([process.name for process in processes])
        self.stopping = asyncio.Event()
        self.hurry = asyncio.Event()

    async def run(self, servers: tuple[Watched, ...], on_ready: Callable[[], None] | None) -> int:
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.add_signal_handler(number, self._signalled)
        sweeper = Janitor(self.mark)
        sweeper.launch()
        try:
            watchers = [asyncio.ensure_future(self._watch(each)) for each in (sweeper, *servers)]
            keepers = [asyncio.ensure_future(self._keep(process)) for process in self.processes]
            if on_ready is not None:
                threading.Thread(target=on_ready, daemon=True).start()
            await asyncio.gather(*watchers, *keepers)
        finally:
            family.kill(self.mark)
            sweeper.dismiss()
        return 0

    def _signalled(self) -> None:
        if self.stopping.is_set():
            self.hurry.set()
        else:
            self.output.say("stopping …")
            self.stopping.set()

    async def _keep(self, process: Process) -> None:
        """Run the process again and again, later each time it fails soon after its start."""
        failures = 0
        while not self.stopping.is_set():
            began = time.monotonic()
            how = await self._live(process)
            failures = 0 if time.monotonic() - began > SETTLED_S else failures
            delay = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
            failures += 1
            if not self.stopping.is_set():
                self.output.say(f"{process.name} ended ({how}); starting it again in {delay} s")
                await _first(self.stopping.wait(), timeout=delay)

    async def _live(self, process: Process) -> str:
        """Run the process once and say how it ended; nobody of its family is left then."""
        mark = f"{self.mark}.{process.name}"
        try:
            child = _spawn(process, mark)
        except OSError as error:
            return str(error)
        relay = asyncio.ensure_future(self.output.relay(process.name, child))
        await _first(_ended(child), self.stopping.wait())
        if child.poll() is None:
            child.terminate()
            await _first(_ended(child), self.hurry.wait(), timeout=GRACE_S)
        if child.poll() is None:
            self.output.say(f"{process.name} has not stopped by itself and is killed")
            child.kill()
        await _ended(child)
        family.kill(mark)
        with contextlib.suppress(OSError):  # where there is no /proc, the group is all of the family we can find
            os.killpg(child.pid, signal.SIGKILL)
        await _first(relay, timeout=1.0)
        return _how(child.returncode)

    async def _watch(self, server: Watched) -> None:
        while not self.stopping.is_set():
            if not server.alive():
                self.output.say(f"{server.name} ended; starting it again")
                try:
                    server.launch()  # in this thread, which lives as long as we do: see lifeline
                except (HostError, OSError) as error:
                    self.output.say(str(error))
            await _first(self.stopping.wait(), timeout=0.5)


def _spawn(process: Process, mark: str) -> subprocess.Popen[bytes]:
    here = str(Path(sys.executable).parent)  # so that a Procfile says `backchat web` without the path of the venv
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([here, os.environ.get("PATH", os.defpath)]),
        **process.env,
        family.MARK: mark,
    }
    return subprocess.Popen(  # noqa: S603 -- the Procfile is ours
        lifeline.wrap(process.argv, signal.SIGTERM),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C in the terminal is for us alone, who stop our children in good order
    )


async def _ended(child: subprocess.Popen[bytes]) -> None:
    # Not asyncio's own subprocess: before Python 3.12.4 its wait() also waits for whoever else holds the pipe,
    # which is how the orphans of a killed child would keep it from being started again.
    while child.poll() is None:  # noqa: ASYNC110 -- nobody sets an event when a process ends
        await asyncio.sleep(0.1)


async def _first(*things: Awaitable[object], timeout: float | None = None) -> None:  # noqa: ASYNC109 -- a bound, not an error
    """Wait until one of `things` is done, or `timeout` seconds have passed; the others are given up."""
    futures = [asyncio.ensure_future(thing) for thing in things]
    _, pending = await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    for future in pending:
        future.cancel()


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
