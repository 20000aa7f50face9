"""A door before PostgreSQL that a test may shut or jam: for the processes behind it the database is away, or hangs."""

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url

_SOCKET = ".s.PGSQL.5432"


class Gate:
    """Open at first. Shut, it takes no connection and breaks those there are; jammed, it carries nothing."""

    def __init__(self, behind: URL, folder: Path) -> None:
        self._behind = behind
        self._path = folder / _SOCKET
        self.url = _through(behind, folder)
        self._flows = threading.Event()
        self._flows.set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener: socket.socket | None = None
        self.open()

    def open(self) -> None:
        self._flows.set()
        if self._listener is None:
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(str(self._path))
            self._path.chmod(0o777)
            self._listener.listen(100)
            threading.Thread(target=self._admit, args=(self._listener,), daemon=True).start()

    def jam(self) -> None:
        self._flows.clear()

    def shut(self) -> None:
        if self._listener is not None:
            self._path.unlink()
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self._flows.set()
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _end(pair)

    def _admit(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # until it is shut
            while True:
                near, _ = listener.accept()
                far = _connect(self._behind)
                self._pairs.append((near, far))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self._flows.wait()
                sink.sendall(data)
        _end((source, sink))


@contextmanager
def before(url: str) -> Iterator[Gate]:
    folder = Path(tempfile.mkdtemp(prefix="gate-"))
    gate = Gate(make_url(url), folder)
    try:
        yield gate
    finally:
        gate.shut()
        shutil.rmtree(folder)


def _through(behind: URL, folder: Path) -> str:
    query = {name: value for name, value in behind.query.items() if name != "host"}
    url = behind.set(host=None, port=None, query={**query, "host": str(folder), "port": "5432"})
    return url.render_as_string(hide_password=False)


def _connect(behind: URL) -> socket.socket:
    folder = behind.query.get("host")
    if folder is not None:
        far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        far.connect(f"{folder}/.s.PGSQL.{behind.query.get('port', 5432)}")
        return far
    return socket.create_connection((behind.host or "127.0.0.1", behind.port or 5432))


def _end(pair: tuple[socket.socket, socket.socket]) -> None:
    for end in pair:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
