"""A lock file that is held by an open descriptor, so the kernel frees it however its holder ends."""

import fcntl
import os
from pathlib import Path


def claim(path: Path) -> int | None:
    """Lock `path` (created, 0600) and return the descriptor that holds it, or None when somebody else does.

    A process that inherits the descriptor holds the lock as well, until the last copy is closed.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def sign(descriptor: int) -> None:
    """Leave this process's pid in the lock file, in one write, for who finds it held."""
    os.pwrite(descriptor, f"{os.getpid():<10}".encode(), 0)


def signature(path: Path) -> str:
    """The pid of who locked `path` last."""
    return path.read_text().strip() or "?"


def holders(path: Path) -> list[int]:
    """Pids of this machine's other processes that have `path` open (Linux; elsewhere nobody is found)."""
    wanted = path.stat()
    return [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if int(entry.name) != os.getpid() and _has_open(entry, wanted)
    ]


def _has_open(process: Path, wanted: os.stat_result) -> bool:
    try:
        return any(os.path.samestat(link.stat(), wanted) for link in (process / "fd").iterdir())
    except OSError:  # it has just ended, or belongs to somebody else
        return False
