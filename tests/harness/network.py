"""Keeps a test run on this machine: whoever opens a socket to anywhere else fails their test."""

import ipaddress
import sys
from typing import Any

escapes: list[str] = []
"""Where somebody tried to go since the list was last cleared; a swallowed error is still found here."""


class LeftLoopbackError(OSError):
    pass


def forbid_leaving() -> None:
    """From now on, for the rest of the process; an audit hook cannot be taken off again."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not is_loopback(str(address[0])):
            _refuse(str(address[0]))
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        if host and not is_loopback(host):
            _refuse(host)


def is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host in {"localhost", "localhost.localdomain", "ip6-localhost"}
    return address.is_loopback or address.is_unspecified


def _refuse(host: str) -> None:
    escapes.append(host)
    raise LeftLoopbackError(f"A test tried to reach {host}; tests stay on this machine.")
