"""What goes to a host that is not the provider's: seen by a host of our own, behind TLS."""

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.media import download
from bot.providers.base import HttpRequest
from simulator.media_samples import SAMPLES
from tests.media.canary import Canary

HOME = ("https", "provider.example.org", 443)
PICTURE = SAMPLES["sample-image"][1]
TOKEN = "Bearer a-token"


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate that only says its own name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.org")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def foreign(tls: ssl.SSLContext) -> Iterator[Canary]:
    with Canary(tls, answer("200 OK", PICTURE)) as listening:
        yield listening


class Streets(AbstractResolver):
    """Names to listeners of this machine, where the product would only go to public addresses."""

    def __init__(self, **listeners: Canary) -> None:
        self._ports = {f"{name}.example.org": listener.port for name, listener in listeners.items()}

    async def resolve(
        self, host: str, _port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        place = ResolveResult(hostname=host, host="127.0.0.1", port=self._ports[host], family=family, proto=0, flags=0)
        return [place]

    async def close(self) -> None:
        pass


def fetch(draft: Path, streets: Streets) -> download.Fetched:
    request = HttpRequest("GET", "https://provider.example.org/1", {"Authorization": TOKEN, "D360-API-KEY": TOKEN}, b"")

    async def run() -> download.Fetched:
        connector = aiohttp.TCPConnector(resolver=streets, ssl=False, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as http:
            return await download.fetch(http, request, HOME, draft, 1_000_000)

    return asyncio.run(run())


def test_a_redirect_to_another_host_takes_no_token_along(tls: ssl.SSLContext, foreign: Canary, tmp_path: Path) -> None:
    with Canary(tls, answer("302 Found", Location="https://foreign.example.org/2")) as provider:
        fetched = fetch(tmp_path / "draft", Streets(provider=provider, foreign=foreign))
    assert fetched.size == len(PICTURE)
    assert (tmp_path / "draft").read_bytes() == PICTURE
    assert [TOKEN.encode() in heard for heard in provider.heard] == [True]
    assert [TOKEN.encode() in heard for heard in foreign.heard] == [False]
    assert b"a-token" not in b"".join(foreign.heard)


def test_a_redirect_back_to_the_provider_has_lost_the_token_for_good(tls: ssl.SSLContext, tmp_path: Path) -> None:
    """Else a foreign host could choose for what the token is used."""
    back = answer("307 Temporary Redirect", Location="https://provider.example.org/elsewhere")
    out = answer("301 Moved Permanently", Location="https://foreign.example.org/2")
    with Canary(tls, out) as provider, Canary(tls, back) as foreign, pytest.raises(download.StatusError):
        fetch(tmp_path / "draft", Streets(provider=provider, foreign=foreign))
    assert [TOKEN.encode() in heard for heard in provider.heard] == [True, False]
