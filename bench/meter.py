"""What the processes of a house take meanwhile: CPU of each and of PostgreSQL, and the sender's memory."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil

from tests.harness.house import House

_EVERY_S = 0.25
_NAMES = {"send": "sender", "intake": "intake", "web": "web", "bulk": "bulk", "clock": "clock"}


def cpu_s(house: House) -> dict[str, float]:
    """Seconds of CPU so far; a process that has ended counts with the one that waited for it."""
    roots = {name: psutil.Process(house.children[child].process.pid) for child, name in _NAMES.items()}  # type: ignore[union-attr]  # started
    roots["simulator"] = psutil.Process(house.simulator.child.process.pid)  # type: ignore[union-attr]
    backend = psutil.Process(int(house.ask("SELECT pg_backend_pid()")))
    roots["postgresql"] = backend.parent() or backend
    roots["redis"] = psutil.Process(house.redis.pid)
    return {name: sum(_used(each) for each in _family(root)) for name, root in roots.items()}


@dataclass
class Memory:
    """The greatest resident set of any process of the sender, in MB, by how many sends were accepted by then."""

    house: House
    early: int
    early_mb: float = 0.0
    peak_mb: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        try:
            yield
        finally:
            self._over.set()
            watcher.join()

    def _watch(self) -> None:
        before = self._accepted()
        while not self._over.wait(_EVERY_S):
            self.peak_mb = max(self.peak_mb, *(_rss_mb(each) for each in self.house.children["send"].family()), 0.0)
            if self._accepted() - before <= self.early:
                self.early_mb = self.peak_mb

    def _accepted(self) -> int:
        return int(self.house.simulator.control("counts")["accepted"])


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _used(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:4])
    except psutil.NoSuchProcess:
        return 0.0


def _rss_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0
