"""The web server, made safe to stop."""

import _thread
import ctypes
import socket
import struct
import sys
import time
from typing import Any

from granian.net import SocketSpec  # type: ignore[attr-defined]  # it renames what it imports
from granian.server import MPServer

QUIET_S = 0.2
"""How long whoever has just connected may take to send its request, once nobody new is let in."""
DRAIN_S = 2.0
"""How long a stop waits at most for connections that no worker has taken yet."""

# Linux: <asm-generic/socket.h>; a classic BPF program is made of (operation, jump if true, jump if false, operand).
_SO_ATTACH_FILTER = 26
_LOAD_BYTE, _JUMP_IF_BITS, _RETURN = 0x30, 0x45, 0x06
_FLAGS, _SYN = 13, 0x02
_DROP, _KEEP = 0, 0xFFFFFFFF
_NOBODY_NEW = (
    (_LOAD_BYTE, 0, 0, _FLAGS),
    (_JUMP_IF_BITS, 0, 1, _SYN),
    (_RETURN, 0, 0, _DROP),
    (_RETURN, 0, 0, _KEEP),
)
_QUEUED = 24
"""Where tcp_info of <linux/tcp.h> has tcpi_unacked, which for a listening socket counts who waits to be accepted."""


class WebServer(MPServer):
    """Granian's server, with ends that nobody notices.

    As it comes it hangs for ever when SIGTERM comes twice at once, or just as it begins to wait; and on Linux each
    worker listens for itself and hangs up on whoever is connected and not accepted yet, when it stops or dies.
    """

    _shd: Any
    _sso: socket.socket

    def signal_handler_interrupt(self, *_args: object, **_named: object) -> None:
        self.interrupt_signal = True
        self._wake()

    def signal_handler_reload(self, *_args: object, **_named: object) -> None:
        self.reload_signal = True
        self._wake()

    def _wake(self) -> None:
        # A handler runs in the middle of whatever the main thread does, and an Event's lock is not reentrant: set()
        # amid its own wait() or set() waits for itself. Another thread only waits for the main one to go on.
        _thread.start_new_thread(self.main_loop_interrupt.set, ())

    def _init_shared_socket(self) -> None:
        # One socket of the main process for all workers, as Granian has it on other systems.
        self._shd = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._sso = socket.socket(fileno=self._shd.get_fd())
        self._sso.set_inheritable(True)

    def shutdown(self, exit_code: int = 0) -> None:
        if any(worker.is_alive() for worker in self.wrks):  # type: ignore[no-untyped-call]
            drain(self._sso)
        try:
            super().shutdown(exit_code)  # type: ignore[no-untyped-call]
        except SystemExit:
            if exit_code or not self.interrupt_signal:  # else workers were told to stop, too, which is no failure
                raise


def drain(listening: socket.socket) -> None:
    """Let nobody new connect, and wait until those who did are accepted and have sent what they came for.

    A connection that is ready exists before any process accepts it, and closing a listening socket resets those it
    still has; between the last one accepted and the closing there is always room for another. So the kernel drops new
    handshakes first: their senders knock again a second later, and meet the next server or nobody. Elsewhere than on
    Linux nothing is done.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in _NOBODY_NEW))
    told = struct.pack("@HP", len(_NOBODY_NEW), ctypes.addressof(program))
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, told)
    deadline = time.monotonic() + DRAIN_S
    while _queued(listening) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(QUIET_S)


def _queued(listening: socket.socket) -> int:
    info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUED + 4)
    return int(struct.unpack_from("@I", info, _QUEUED)[0])
