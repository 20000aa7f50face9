"""Processes a test starts: each leads a session of its own, so that all of it can be killed at once."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bot.host import family, lifeline
from tests.harness import forkserver
from tests.harness.forkserver import Forked

ROOT = Path(__file__).parents[2]
OURS = {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    "PYTHONPATH": str(ROOT),
    "LC_ALL": "C.UTF-8",
}
"""What every child needs to run this checkout's code, wherever the package is installed from."""


@dataclass
class Child:
    """A command that can be started, killed and started again; what it prints is kept in `folder`."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    folder: Path
    printed: Path | None = None
    """Where it prints to, if not to its log."""
    process: subprocess.Popen[bytes] | Forked | None = field(default=None, init=False)

    @property
    def log_path(self) -> Path:
        return self.folder / f"{self.name}.log"

    def output(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, **more: str) -> None:
        """Start, unless it runs; `more` adds to the environment of this one life."""
        if self.alive():
            return
        environment = {**OURS, family.MARK: self.mark, **self.environment, **more}
        prints = self.printed or self.log_path
        if forkserver.can_start(self.command):
            self.process = forkserver.start(self.command, environment, prints, self.log_path)
            return
        with prints.open("ab") as printed, self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                lifeline.wrap(self.command, signal.SIGTERM),
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=log,
                start_new_session=True,
            )

    @property
    def mark(self) -> str:
        return f"test-{os.getpid()}.{self.name}-{id(self)}"

    def descendants(self) -> list[psutil.Process]:
        if not self.alive() or self.process is None:
            return []
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def family(self) -> list[psutil.Process]:
        """The process and its descendants."""
        if self.process is None or not self.alive():
            return []
        return [psutil.Process(self.process.pid), *self.descendants()]

    def ask_to_stop(self) -> None:
        if self.process is not None and self.alive():
            self.process.terminate()

    def kill(self) -> None:
        """SIGKILL the process and every process it has made, all at once."""
        if self.process is None:
            return
        family.kill(self.mark)
        if self.alive():
            self.process.kill()
        self.process.wait()

    def kill_alone(self) -> None:
        """SIGKILL the process, and nobody it has made."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def kill_horse(self) -> bool:
        """SIGKILL what the process has forked, but not itself; False if there is nobody."""
        horses = self.descendants()
        for horse in horses:
            _kill(horse.pid)
        return bool(horses)

    def stop(self, patience_s: float = 60.0) -> None:
        """SIGTERM, and an assertion that it ends by itself and leaves nobody behind."""
        if self.process is None:
            return
        self.ask_to_stop()
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {patience_s} s:\n{self.output()[-2000:]}") from None
        finally:
            left = family.members(self.mark)
            family.kill(self.mark)
        assert not left, f"{self.name} left processes behind: {left}"


def wait_until(condition: Callable[[], Any], what: str, *, timeout_s: float = 60.0, every_s: float = 0.05) -> Any:
    """The condition's first true value; fails with `what` when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {timeout_s} s in vain for {what}.")
        time.sleep(every_s)
    return value


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
