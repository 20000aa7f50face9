"""Every process that descends from one of ours, also those that changed their parent, group or session.

Each child is started with a mark in its environment, which all its descendants inherit and no fork can shake off.
"""

import contextlib
import os
import signal
from pathlib import Path

MARK = "BACKCHAT_FAMILY"


def members(mark: str) -> list[int]:
    """Pids of all living processes whose mark is `mark` or begins with it and a dot (Linux; elsewhere none)."""
    whole, part = f"{MARK}={mark}".encode(), f"{MARK}={mark}.".encode()
    return [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if int(process.name) != os.getpid()
        and any(entry == whole or entry.startswith(part) for entry in _environment(process))
    ]


def kill(mark: str) -> None:
    """SIGKILL all members, again until no new one turns up: a member may fork while the others are being killed."""
    for _ in range(100):
        found = members(mark)
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")  # empty for a zombie
    except OSError:  # it has just ended, or belongs to somebody else
        return []
