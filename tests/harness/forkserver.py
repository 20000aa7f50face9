"""python -m tests.harness.forkserver FD: has imported Backchat and the simulator once, and forks whoever is asked for.

A process of ours spends its first second on imports, and the suite starts hundreds of them. `backchat run` starts all
of them as a host does: its story is what tells of an import that is missing.
"""

import atexit
import ctypes
import functools
import gc
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.host import family, lifeline

MOST = 1 << 16
"""Bytes of an order."""
_BLANK = "x" * 200
"""Where the mark of a forked process goes: no environment grows after its start, as others see it."""
_ended: list[int] = []
"""The exit code of a forked process, once it has done what it was asked for."""


def can_start(command: Sequence[str]) -> bool:
    """Whether a command is one of those whose imports are done; Linux alone shows the environment of a process."""
    is_ours = command[0] == "backchat" and command[1] != "run"
    is_module = command[:2] == [sys.executable, "-m"] and command[2].partition(".")[0] in {"simulator", "tests"}
    return sys.platform == "linux" and (is_ours or is_module)


class Forked:
    """To whoever has started it what subprocess.Popen is."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._descriptor = os.pidfd_open(pid)  # readable once it has ended
        self._ending = select.poll()
        self._ending.register(self._descriptor, select.POLLIN)

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def send_signal(self, sign: signal.Signals) -> None:
        if self.poll() is None:  # until somebody asks how it ended, its pid is nobody else's
            os.kill(self.pid, sign)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and self._ending.poll(None if timeout is None else timeout * 1000):
            self.returncode = _server().ask(reap=self.pid)
            os.close(self._descriptor)
        return self.returncode


def start(command: Sequence[str], environment: Mapping[str, str], printed: Path, log: Path) -> Forked:
    """A process of its own session that does what the command does when it is run, and has exactly this environment."""
    return Forked(_server().ask(command=command, environment=environment, printed=str(printed), log=str(log)))


class _Server:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": str(_root()), "LC_ALL": "C.UTF-8", family.MARK: _BLANK},
                cwd=_root(),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def ask(self, **order: Any) -> int:
        with self._lock:
            self._socket.sendall(json.dumps(order).encode())
            answer = self._socket.recv(MOST)
        assert answer, "the fork server has ended; its error stands above"
        return int(answer)

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


@functools.cache
def _server() -> _Server:
    server = _Server()
    atexit.register(server.close)
    return server


def _root() -> Path:
    return Path(__file__).parents[2]


def serve(control: socket.socket) -> dict[str, Any] | None:
    """Returns in each forked process, with its order; in the server itself with none, when nobody is left to ask."""
    while asked := control.recv(MOST):
        order = json.loads(asked)
        answer = _reap(order["reap"]) if "reap" in order else os.fork()
        if answer == 0 and "reap" not in order:
            return dict(order)
        control.sendall(str(answer).encode())
    return None


def _reap(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def become(command: Sequence[str], environment: Mapping[str, str], printed: str, log: str) -> None:
    """Do what the command does, as if this process had been started with it."""
    os.setsid()
    lifeline.die_with_parent(signal.SIGTERM)
    for descriptor, path in ((1, printed), (2, log)):
        with Path(path).open("ab") as told:
            os.dup2(told.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    _show_mark(environment[family.MARK])
    try:
        _run(command)
        _ended.append(0)
    except SystemExit as end:
        _ended.append(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise


def _run(command: Sequence[str]) -> None:
    name, *arguments = command
    if name == "backchat":
        script = str(Path(sys.executable).with_name("backchat"))
        sys.argv = [script, *arguments]
        runpy.run_path(script, run_name="__main__")
    else:
        _, module, *rest = arguments
        sys.argv = [module, *rest]
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_at_once() -> None:
    """Without taking Python apart, for which each process would first copy all that it shares with the server."""
    if _ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_ended[0])


def _show_mark(mark: str) -> None:
    """Write the mark where /proc shows it, which is the memory that the server was given its own environment in."""
    fields = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()
    begin, end = int(fields[47]), int(fields[48])  # env_start and env_end of proc(5)
    place = ctypes.string_at(begin, end - begin).index(_BLANK.encode())
    ctypes.memmove(begin + place, mark.encode().ljust(len(_BLANK), b"\0"), len(_BLANK))


def import_all() -> None:
    """Everything that web, workers, clock and simulator import sooner or later; nothing is connected to."""
    from sqlalchemy.orm import configure_mappers  # noqa: PLC0415

    import app  # noqa: PLC0415
    import simulator.server  # noqa: F401, PLC0415 -- only the server itself is to have them
    from bot import queue, runtime, worker  # noqa: F401, PLC0415 -- the worker for those it forks
    from tests.harness.runtimes import make_settings  # noqa: PLC0415

    told = make_settings(Path(os.devnull), "postgresql://nobody@/nothing", "redis://127.0.0.1:9")
    app.create_app(runtime.build(told, name="nobody"))
    runtime._current.clear()
    app.sweeps()
    for pump in queue.PUMPS.values():
        pkgutil.resolve_name(pump)
    configure_mappers()


def main() -> None:
    atexit.register(_end_at_once)  # the first, and so the last to be called
    with closing(socket.socket(fileno=int(sys.argv[1]))) as control:
        import_all()
        assert len([*Path("/proc/self/task").iterdir()]) == 1, "a fork takes along one thread only"
        gc.collect()
        gc.freeze()
        order = serve(control)
    if order:
        become(**order)


if __name__ == "__main__":
    main()
