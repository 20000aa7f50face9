"""A listener that writes down who came, for addresses that nobody may go to."""

import socket
import ssl
import threading
from typing import Self


class Canary:
    """With a TLS context it answers every request with a picture; without, it only counts connections."""

    def __init__(self, tls: ssl.SSLContext | None = None, answer: bytes = b"") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tls, self._answer = tls, answer
        self.port: int = self._listener.getsockname()[1]
        self.heard: list[bytes] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return
            with visitor:
                self._hear(visitor)

    def _hear(self, visitor: socket.socket) -> None:
        if self._tls is None:
            self.heard.append(b"somebody")
            return
        with self._tls.wrap_socket(visitor, server_side=True) as secure:
            self.heard.append(secure.recv(65536))
            secure.sendall(self._answer)
