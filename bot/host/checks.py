"""What can be wrong with a machine, each told in one sentence that says what to do.

Imports nothing that takes long: every process that is started or watched here has these errors.
"""

import errno
import os
import socket
from pathlib import Path


class HostError(Exception):
    """A sentence for the person at the terminal; commands print it without a traceback and exit with 1."""


def ensure_folder(folder: Path, variable: str = "BACKCHAT_HOME") -> Path:
    """Create `folder` (0700) when missing and prove that it takes a file, else HostError; an existing mode is kept."""
    folder = folder.expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        proof = folder / f".writable-{os.getpid()}"
        proof.touch()
        proof.unlink()
    except OSError as error:
        raise HostError(
            f"Cannot write to {folder} ({error.strerror}): make it writable or set {variable} to a folder that is."
        ) from error
    return folder


def check_port(host: str, port: int) -> None:
    """HostError unless `port` on `host` can be listened on."""
    remedies = {
        errno.EADDRINUSE: f"Port {port} on {host} is in use: stop what listens there, or set PORT to a free one.",
        errno.EACCES: f"Port {port} is reserved for root: set PORT to one above 1023.",
    }
    if not 0 < port < 65536:
        raise HostError(f"There is no port {port}: set PORT to one from 1 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port in TIME_WAIT is free
            probe.bind(address)
    except OSError as error:
        otherwise = f"Cannot listen on {host} ({error.strerror}): set BACKCHAT_HOST to an address of this machine."
        raise HostError(remedies.get(error.errno or 0, otherwise)) from error
