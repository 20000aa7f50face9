import asyncio
import ipaddress
import socket

import pytest
from aiohttp.abc import ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from bot.media.addresses import ForbiddenAddressError, PublicResolver, checked, is_public

HOME = ("http", "127.0.0.1", 8300)


@pytest.mark.parametrize(
    "url",
    [
        "https://lookaside.example.com/whatsapp?mid=1&ext=2&hash=a%2Fb",
        "https://bucket.s3.eu-west-1.example.com/a%20b/c.jpg",
        "http://127.0.0.1:8300/_media/1?ext=1",
    ],
)
def test_a_file_may_be_at_a_name_behind_https_or_at_the_providers_own_address(url: str) -> None:
    assert str(checked(url, HOME)) == url, "what was signed goes out as it was signed"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x",
        "http://example.com:443/x",
        "file:///etc/passwd",
        "gopher://example.com:70/x",
        "ftp://example.com/x",
        "//example.com/x",
        "https:///x",
        "https://",
        "",
        "https://example.com:6379/",
        "https://example.com:8443/",
        "https://example.com:99999/",
        "https://127.0.0.1/",
        "https://127.0.0.1:8300/",
        "http://127.0.0.1:8301/",
        "http://localhost:8300/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://8.8.8.8/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://redis/",
        "https://example.com./",
        "https://127.0.0.1./",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://127.0.0.1:8300@example.com/",
        "http://127.0.0.1:8300@169.254.169.254/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/ HTTP/1.1\r\nX: y",
        "https://example.com/\x00",
        "https://①②⑦.⓪.⓪.①/",
        "https://ex。ample/",
    ],
)
def test_every_other_form_of_an_address_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddressError) as refused:
        checked(url, HOME)
    assert str(refused.value) == "The file is at an address that Backchat does not fetch from."


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_open_internet_is_public_also_behind_nat64(address: str) -> None:
    assert is_public(address)


INSIDE = (
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "192.0.0.170", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "100::1", "2001:db8::1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::1", "2001:0:7f00:1::1"),
)


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_the_open_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4, network="127.0.0.0/8") | st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_no_disguise_makes_an_inner_address_public(inner: ipaddress.IPv4Address) -> None:
    for prefix in ("::", "::ffff:0:0", "64:ff9b::"):
        assert not is_public(str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) + int(inner))))


def resolved(*addresses: str) -> list[ResolveResult]:
    family = socket.AF_INET
    return [
        ResolveResult(hostname="files.example", host=address, port=443, family=family, proto=0, flags=0)
        for address in addresses
    ]


def test_one_inner_address_among_public_ones_forbids_the_name() -> None:
    async def answer(_host: str, _port: int) -> list[ResolveResult]:
        return resolved("8.8.8.8", "10.0.0.1")

    with pytest.raises(ForbiddenAddressError):
        asyncio.run(PublicResolver(HOME, answer).resolve("files.example", 443))


def test_the_providers_own_name_may_be_on_this_machine_but_only_at_its_port() -> None:
    async def answer(_host: str, _port: int) -> list[ResolveResult]:
        return resolved("127.0.0.1")

    resolver = PublicResolver(("http", "localhost", 8300), answer)
    assert asyncio.run(resolver.resolve("localhost", 8300)) == resolved("127.0.0.1")
    with pytest.raises(ForbiddenAddressError):
        asyncio.run(resolver.resolve("localhost", 6379))
