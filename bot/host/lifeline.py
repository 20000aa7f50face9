"""A child that dies with its parent, also when that is killed with -9 (Linux; elsewhere only the start is guarded).

Run as a script it is the small wrapper that a server is started through; it then may import nothing of ours, because
it runs isolated and, as root, changes to an account that cannot read this folder.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h

_parent = os.getppid()
_forking = 0


def _remember_parent() -> None:
    global _parent  # noqa: PLW0603 -- a fork hook has nowhere else to put what it saw
    _parent = _forking


def _announce_fork() -> None:
    global _forking  # noqa: PLW0603 -- see above
    _forking = os.getpid()


# The parent's pid must be known from before the fork: asked for afterwards, a parent that is gone goes unnoticed.
os.register_at_fork(before=_announce_fork, after_in_child=_remember_parent)


def die_with_parent(sig: signal.Signals = signal.SIGKILL, parent: int | None = None) -> None:
    """Ask the kernel to send `sig` to this process when the thread that forked it ends.

    If the parent (default: who forked this process by os.fork) is gone already, `sig` is raised at once, which closes
    the race between the fork and this call. Call it after any change of uid, which clears the request, and fork from
    a thread that lives as long as the parent does.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    if os.getppid() != (_parent if parent is None else parent):
        os.kill(os.getpid(), sig)


def wrap(command: list[str], sig: signal.Signals, uid: int = -1, gid: int = -1) -> list[str]:
    """The command line that runs `command` as a child of this process which gets `sig` when this process dies.

    The pid stays the same, since the wrapper becomes the command. With `uid` and `gid` it first gives up root for them.
    """
    # -I and -S: ten milliseconds instead of fifty, and our own modules (redis.py) cannot shadow anybody's.
    head = [sys.executable, "-I", "-S", __file__]
    return [*head, str(int(sig)), str(os.getpid()), str(uid), str(gid), *command]


def main(argv: list[str]) -> None:
    sig, parent, uid, gid, *command = argv
    if int(uid) >= 0:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    die_with_parent(signal.Signals(int(sig)), int(parent))
    try:
        os.execvp(command[0], command)  # noqa: S606 -- running the command it is given is its purpose
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
