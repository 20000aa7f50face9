"""What the supervisor prints: each process's lines behind its coloured name, and its own."""

import asyncio
import contextlib
import os
import subprocess
import sys
from typing import IO, cast

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
LONGEST_LINE_BYTES = 65536
SYSTEM = "backchat"


class Output:
    """Writes whole lines to stdout; in colour on a terminal, unless NO_COLOR is set. A closed stdout is no error."""

    def __init__(self, names: list[str]) -> None:
        self.width = max(map(len, [*names, SYSTEM]))
        colourful = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self.colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)} if colourful else {}

    def say(self, text: str) -> None:
        for line in text.splitlines():
            self._write(SYSTEM, line)

    async def relay(self, name: str, child: subprocess.Popen[bytes]) -> None:
        """Pass on the child's stdout line by line until it ends; a line above LONGEST_LINE_BYTES comes in pieces."""
        stream, rest = asyncio.StreamReader(), b""
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), cast("IO[bytes]", child.stdout)
        )
        while chunk := await stream.read(LONGEST_LINE_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._write(name, line.decode(errors="replace"))
        if rest:
            self._write(name, rest.decode(errors="replace"))

    def _write(self, name: str, line: str) -> None:
        label = name.ljust(self.width)
        if name in self.colours:
            label = f"\x1b[{self.colours[name]}m{label}\x1b[0m"
        with contextlib.suppress(OSError):  # `make run | head`, or a terminal that was closed
            print(f"{label} | {line}", flush=True)  # noqa: T201 -- printing is what it is for
