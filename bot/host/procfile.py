"""The Procfile: which processes make up a running Backchat."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

from bot.host.checks import HostError


@dataclass(frozen=True)
class Process:
    """One process to keep running: the name before its lines, its command, and variables beside our environment."""

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)


def read_procfile(path: Path, scale: str = "", env: dict[str, str] | None = None) -> list[Process]:
    """The processes of a Procfile but for `release`; `scale` ("send=2,web=0") says how many of each, by default one.

    HostError names the line or word that cannot be read.
    """
    processes = []
    wanted = _scale(scale)
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        name, colon, command = (part.strip() for part in line.partition(":"))
        if not line.strip() or line.lstrip().startswith("#") or name == "release":
            continue
        if not colon or not command:
            raise HostError(f"{path}, line {number}: write `name: command`.")
        count = wanted.pop(name, 1)
        names = [name] if count == 1 else [f"{name}.{index}" for index in range(1, count + 1)]
        try:
            argv = shlex.split(command)
        except ValueError as error:
            raise HostError(f"{path}, line {number}: {error}.") from error
        processes += [Process(each, argv, env or {}) for each in names]
    if wanted:
        raise HostError(f"{path} has no process {', '.join(wanted)}: scale only what it lists.")
    return processes


def _scale(text: str) -> dict[str, int]:
    scale = {}
    for word in filter(None, (word.strip() for word in text.split(","))):
        name, _, count = word.partition("=")
        if not count.isdecimal():
            raise HostError(f"Cannot read the scale {word!r}: write it as send=2.")
        scale[name] = int(count)
    return scale
