"""One server of ours: a child that holds its folder's lock as long as it lives and dies with this process."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.host import lifeline, lock
from bot.host.account import Account
from bot.host.checks import HostError

READY_WITHIN_S = 120.0  # recovery after a crash replays up to max_wal_size
LOG_LIMIT_BYTES = 10_000_000


@dataclass
class Server:
    """A server of ours: `url` to reach it, `pid`, `alive()`, `launch()` or `revive()` after a crash, and `stop()`."""

    name: str
    url: str
    command: list[str]
    lock_path: Path
    log: Path
    farewell: tuple[signal.Signals, ...]  # how it is asked to end, politest first; SIGKILL follows by itself
    is_ready: Callable[[str], bool]
    account: Account
    remedy: str = ""  # added where it will not start
    cleanup: Callable[[], None] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process.pid

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def revive(self) -> None:
        """Start the server unless it runs, and wait until it answers; HostError with the log's last lines otherwise."""
        self.launch()
        try:
            self._wait_until_ready()
        except BaseException:  # Ctrl-C too: nothing half-started stays behind
            self.stop()
            raise

    def launch(self) -> None:
        """Start the server unless it runs; it answers when it is ready, which after a crash may take seconds."""
        if self.alive():
            return
        held = self._claim()
        try:
            self._process = self._spawn(held)
        finally:
            os.close(held)  # from here on the lock is the server's alone

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            _end([process.pid], self.farewell, lambda: process.poll() is None)
            process.wait()
        if self.cleanup is not None:
            self.cleanup()

    def _spawn(self, held: int) -> subprocess.Popen[bytes]:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.rename(self.log.with_suffix(".log.1"))
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
            return subprocess.Popen(  # noqa: S603 -- the command is built here, never from input
                lifeline.wrap(self.command, self.farewell[0], self.account.uid, self.account.gid),
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
                pass_fds=[held],
            )

    def _claim(self) -> int:
        """The lock of this server's folder; an orphan of an earlier, killed run is ended first."""
        deadline, suspects = time.monotonic() + 5.0, list[int]()
        while (held := lock.claim(self.lock_path)) is None:
            pids = lock.holders(self.lock_path)
            are_orphans = self._are_orphans(pids)
            if are_orphans and pids == suspects:  # seen twice: somebody between claiming and signing is none
                _end(pids, self.farewell, lambda: bool(lock.holders(self.lock_path)))
            elif (pids and not are_orphans) or time.monotonic() > deadline:
                raise HostError(
                    f"{self.name} of {self.lock_path.parent} is in use by process {lock.signature(self.lock_path)}: "
                    "stop that one or set BACKCHAT_HOME to another folder."
                )
            suspects = pids
            time.sleep(0.05)
        lock.sign(held)
        return held

    def _are_orphans(self, pids: list[int]) -> bool:
        """Whether who holds the lock has outlived who started it: an earlier, killed run or our own, crashed server."""
        parent = lock.signature(self.lock_path)
        if parent == str(os.getpid()):
            return bool(pids) and self._process is not None
        related = {str(pid) for pid in pids} | {str(_parent_of(pid)) for pid in pids}
        return bool(pids) and parent not in related

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while self.alive() and time.monotonic() < deadline:
            if self.is_ready(self.url):
                return
            time.sleep(0.02)
        why = "did not answer in time" if self.alive() else "ended at once"
        raise HostError(f"{self.name} {why}; the end of {self.log} says:\n{tail(self.log)}\n{self.remedy}".rstrip())


def tail(log: Path, lines: int = 8) -> str:
    return "\n".join("  " + line for line in log.read_text(errors="replace").splitlines()[-lines:])


def _end(pids: list[int], signals: tuple[signal.Signals, ...], still_there: Callable[[], bool]) -> None:
    """Send each of `signals`, then SIGKILL, until nobody is there: 20 seconds for the first, 5 for each other."""
    patience = 20.0
    for sig in (*signals, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
        deadline = time.monotonic() + patience
        while still_there():
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        else:
            return
        patience = 5.0


def _parent_of(pid: int) -> int:
    try:
        # The command's name, in parentheses, may hold anything; the fields after it are: state, parent, …
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
