"""Where a file may be fetched from: the open web by https, and the provider's own address; never this network.

A url comes from a payload. Whoever could write one would otherwise have our worker knock at databases and metadata
services. A name is resolved once, every address it has must be public, and those are what is connected to.
"""

import ipaddress
import socket
from collections.abc import Awaitable, Callable

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

Origin = tuple[str, str, int]
"""Scheme, host, port."""
Lookup = Callable[[str, int], Awaitable[list[ResolveResult]]]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddressError(Exception):
    """Not to be fetched from; says nothing of what is there."""

    def __init__(self) -> None:
        super().__init__("The file is at an address that Backchat does not fetch from.")


def origin(url: URL) -> Origin:
    return url.scheme, url.host or "", url.port or 0


def checked(url: str, home: Origin | None) -> URL:
    """The url as the HTTP client will read it; raises ForbiddenAddressError.

    `home` is what the operator wrote down, as a provider's base URL: the one place that may be on this machine, on
    http, or on a port of its own; None where there is none.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ForbiddenAddressError
    try:
        parsed = URL(url, encoded=True)  # sent as it was signed
        host, place = parsed.host or "", origin(parsed)
    except ValueError as error:
        raise ForbiddenAddressError from error
    if parsed.user is not None or parsed.password is not None:
        raise ForbiddenAddressError
    if place != home and (place[0] != "https" or place[2] != 443 or not _is_name(host)):
        raise ForbiddenAddressError
    return parsed


def _is_name(host: str) -> bool:
    """A name with a dot, that no reader takes for a number: 127.1, 0x7f.1 and 2130706433 are addresses to some."""
    last = host.rpartition(".")[2]
    return "." in host and ":" not in host and bool(last) and not last[0].isdecimal()


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, also when it is an IPv4 address in IPv6 clothes."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip.sixtofour is not None or ip.teredo is not None or ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


class PublicResolver(AbstractResolver):
    """Resolves names for the HTTP client, which connects to what this answers and asks nobody else."""

    def __init__(self, home: Origin | None, lookup: Lookup | None = None) -> None:
        self._home = home
        self._lookup = lookup or _look_up

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 (the client's signature)
    ) -> list[ResolveResult]:
        found = await self._lookup(host, port)
        is_home = self._home is not None and (host, port) == self._home[1:]
        if not is_home and not all(is_public(one["host"]) for one in found):
            raise ForbiddenAddressError
        return found

    async def close(self) -> None:
        pass


async def _look_up(host: str, port: int) -> list[ResolveResult]:
    return await ThreadedResolver().resolve(host, port, socket.AF_UNSPEC)
