"""Scripts as processes of their own, and everybody who descends from them."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil

CHECKOUT = Path(__file__).parents[2]
TOKEN = "BACKCHAT_TEST_TOKEN"


class Stage:
    """Whoever `play` starts carries a token in its environment, which its descendants inherit."""

    def __init__(self) -> None:
        self.token = uuid.uuid4().hex
        self.started: list[subprocess.Popen[str]] = []

    def play(self, script: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            cwd=CHECKOUT,
            env={**os.environ, TOKEN: self.token, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def cast(self, saying: str = "") -> list[psutil.Process]:
        """All living processes of this stage whose command line contains `saying`."""
        return [process for process in psutil.process_iter() if self._plays(process, saying)]

    def empties(self, within_s: float = 10) -> bool:
        return eventually(lambda: not self.cast(), within_s)

    def clear(self) -> None:
        for left in self.cast():
            left.kill()
        for process in self.started:
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _plays(self, process: psutil.Process, saying: str) -> bool:
        try:
            return process.environ().get(TOKEN) == self.token and saying in " ".join(process.cmdline())
        except (psutil.Error, OSError):
            return False


def eventually(check: Callable[[], object], within_s: float = 10) -> bool:
    deadline = time.monotonic() + within_s
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def is_gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def said(process: subprocess.Popen[str]) -> str:
    """The next line it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()
