"""python -m tests.harness.poison MANNER …: `backchat …` whose Cloud API parser dies of any body that says "poison"."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping

import app
from bot.providers.base import NO_HEADERS
from bot.providers.cloud import Cloud
from bot.providers.events import Event
from bot.providers.registry import PROVIDERS

MANNERS: dict[str, Callable[[], object]] = {
    "segfault": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(3),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),  # as by the kernel, when memory is short
}


class Poisoned(Cloud):
    def parse(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> list[Event]:
        if b"poison" in body:
            MANNERS[sys.argv[1]]()
        return super().parse(body, headers)


if __name__ == "__main__":
    PROVIDERS["cloud"] = Poisoned()
    app.cli(sys.argv[2:])
