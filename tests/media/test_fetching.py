"""One attempt at one file, against a simulator that can be as hostile as a host may be."""

import asyncio
import base64
import hashlib
import json
import socket
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.abc import ResolveResult

from bot.media.claims import Result
from bot.media.fetching import Order, attempt
from bot.media.shelf import Shelf
from bot.models.words import MediaState
from bot.providers.base import Account
from bot.providers.events import MediaRef
from bot.providers.registry import PROVIDERS
from simulator.media_samples import SAMPLES
from tests.harness import network
from tests.harness.simulator import ACCESS_TOKEN, Simulator
from tests.media.canary import Canary

KEY = "0f0e0d0c-0000-4000-8000-000000000001"
Orders = Callable[..., Order]

FORBIDDEN = Result(MediaState.REFUSED, "The file is at an address that Backchat does not fetch from.")


def run(shelf: Shelf, order: Order) -> Result:
    return asyncio.run(attempt(shelf, KEY, order))


def kept(shelf: Shelf) -> list[Path]:
    return [path for path in shelf.workbench.parent.rglob("*") if path.is_file()]


def test_a_photo_is_fetched_with_the_token_and_kept(shelf: Shelf, order: Orders) -> None:
    content = SAMPLES["sample-image"][1]
    result = run(shelf, order("sample-image"))
    assert result == Result(MediaState.STORED, None, "image/png", len(content), hashlib.sha256(content).hexdigest())
    assert b"".join(shelf.read(KEY, 0, len(content))) == content
    assert len(kept(shelf)) == 1, "nothing stays on the workbench"


@pytest.mark.parametrize(
    "media_id, mime_type",
    [
        ("sample-video", "video/mp4"),
        ("sample-audio", "audio/mpeg"),
        ("sample-voice", "audio/ogg"),
        ("sample-document", "application/pdf"),
        ("sample-sticker", "image/webp"),
        ("sample-svg", "application/octet-stream"),
        ("sample-html", "application/octet-stream"),
        ("sample-polyglot", "image/gif"),
    ],
)
def test_a_type_comes_from_the_bytes_whatever_is_told(
    media_id: str, mime_type: str, shelf: Shelf, order: Orders
) -> None:
    assert run(shelf, order(media_id)).mime_type == mime_type


def test_an_address_that_grew_too_old_is_asked_for_again(shelf: Shelf, order: Orders) -> None:
    assert run(shelf, order("sample-moved")).state is MediaState.STORED


def test_a_file_the_provider_no_longer_has_has_failed(shelf: Shelf, order: Orders, provider: Simulator) -> None:
    url = f"{provider.url}/_media/sample-image?ext=1&hash=none"
    gone = Result(MediaState.FAILED, "The provider no longer has the file.")
    assert run(shelf, order(None, url=url)) == gone
    assert kept(shelf) == []


def test_a_message_that_says_nothing_of_where_its_file_is_has_failed(shelf: Shelf, order: Orders) -> None:
    assert run(shelf, order(None)) == Result(MediaState.FAILED, "The message does not say where the file is.")


def test_a_provider_without_files_has_none(shelf: Shelf, order: Orders) -> None:
    assert run(shelf, replace(order("sample-image"), access=None)).state is MediaState.FAILED


def test_a_wrong_token_is_tried_again_later_and_not_told(shelf: Shelf, order: Orders) -> None:
    asked = order("sample-image")
    account = Account(asked.account.base_url, asked.account.account_id, {"access_token": "outdated-token"})
    result = run(shelf, replace(asked, account=account))
    assert result.state is MediaState.WAITING
    assert "outdated-token" not in str(result.reason)


def address_of(provider: Simulator, media_id: str) -> str:
    """Where the file is for the next minutes, as some providers tell it in the webhook."""
    headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    request = urllib.request.Request(f"{provider.url}/v25.0/{media_id}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.loads(answer.read())["url"])


def told(content: bytes) -> list[str]:
    digest = hashlib.sha256(content).digest()
    return [digest.hex(), digest.hex().upper(), base64.b64encode(digest).decode()]


def test_a_checksum_is_compared_in_each_form_in_which_providers_tell_it(
    shelf: Shelf, order: Orders, provider: Simulator
) -> None:
    content = SAMPLES["sample-image"][1]
    url = address_of(provider, "sample-image")
    states = [run(shelf, order(None, url=url, sha256=sha256)).state for sha256 in [*told(content), "", "odd"]]
    wrong = [run(shelf, order(None, url=url, sha256=sha256)) for sha256 in told(b"something else")]
    assert states == [MediaState.STORED] * 5
    assert wrong == [Result(MediaState.WAITING, "The file does not have the checksum that the provider told.")] * 3


# Hostile hosts


def test_a_body_without_end_is_cut_at_the_limit_and_refused(shelf: Shelf, order: Orders) -> None:
    result = run(shelf, order("sample-endless", most=1024 * 1024))
    assert result == Result(MediaState.REFUSED, "The file is larger than 1 MB.")
    assert kept(shelf) == []


def test_a_file_that_the_provider_says_is_too_large_is_not_even_asked_for(shelf: Shelf, order: Orders) -> None:
    """Asking would lead to an address that is refused for another reason."""
    assert str(run(shelf, order("sample-redirect", most=100)).reason).startswith("The file is larger than")


def test_a_file_announced_as_too_large_is_not_waited_for(shelf: Shelf, order: Orders, provider: Simulator) -> None:
    url = address_of(provider, "sample-slow")
    assert run(shelf, order(None, url=url, most=100, total_s=5)).state is MediaState.REFUSED


def test_a_host_that_trickles_is_left_when_the_time_is_up(shelf: Shelf, order: Orders) -> None:
    result = run(shelf, order("sample-slow", total_s=0.5))
    assert result == Result(MediaState.WAITING, "The provider took longer than 0.5 seconds.")
    assert kept(shelf) == []


def test_a_body_shorter_than_announced_is_not_taken_for_the_file(shelf: Shelf, order: Orders) -> None:
    assert run(shelf, order("sample-short")) == Result(MediaState.WAITING, "The connection to the provider failed.")
    assert kept(shelf) == []


def test_a_packed_body_is_not_unpacked(shelf: Shelf, order: Orders) -> None:
    assert "packed" in str(run(shelf, order("sample-packed")).reason)
    assert kept(shelf) == []


def test_a_host_that_is_away_is_tried_again_later(shelf: Shelf, order: Orders) -> None:
    asked = order("sample-image")
    account = replace(asked.account, base_url="http://127.0.0.1:9")
    failed = Result(MediaState.WAITING, "The connection to the provider failed.")
    assert run(shelf, replace(asked, account=account)) == failed


# Addresses


@pytest.mark.parametrize(
    "form",
    [
        "http://127.0.0.1:{port}/",
        "https://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://user@127.0.0.1:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
    ],
)
def test_nobody_is_led_into_this_network_by_an_address_or_a_redirect(
    form: str, shelf: Shelf, order: Orders, provider: Simulator, canary: Canary
) -> None:
    url = form.format(port=canary.port)
    assert run(shelf, order(None, url=url)) == FORBIDDEN
    provider.set_faults(media_redirect=url)
    assert run(shelf, order("sample-redirect")) == FORBIDDEN
    assert canary.heard == []


def test_redirects_come_to_an_end(shelf: Shelf, order: Orders, provider: Simulator) -> None:
    provider.set_faults(media_redirect=address_of(provider, "sample-redirect"))
    assert run(shelf, order("sample-redirect")) == Result(MediaState.WAITING, "The provider answered with 302.")


def test_a_redirect_within_the_providers_host_is_followed_with_the_token(
    shelf: Shelf, order: Orders, provider: Simulator
) -> None:
    provider.set_faults(media_redirect=address_of(provider, "sample-image"))
    assert run(shelf, order("sample-redirect")).state is MediaState.STORED


def place(address: str, port: int) -> ResolveResult:
    family = socket.AF_INET
    return ResolveResult(hostname="files.example.org", host=address, port=port, family=family, proto=0, flags=0)


def test_a_name_that_leads_into_this_network_is_not_connected_to(shelf: Shelf, order: Orders, canary: Canary) -> None:
    async def lookup(_host: str, _port: int) -> list[ResolveResult]:
        return [place("127.0.0.1", canary.port)]

    asked = order(None, url="https://files.example.org/1", lookup=lookup)
    assert run(shelf, asked) == FORBIDDEN
    assert canary.heard == []


def test_a_name_that_changes_its_mind_wins_nothing(shelf: Shelf, order: Orders, canary: Canary) -> None:
    """DNS rebinding: public when it is checked, inside when it would be looked up once more."""
    answers = ["93.184.216.34", "127.0.0.1", "127.0.0.1", "127.0.0.1"]

    async def lookup(_host: str, _port: int) -> list[ResolveResult]:
        return [place(answers.pop(0), canary.port)]

    result = run(shelf, order(None, url="https://files.example.org/1", lookup=lookup))
    assert result == Result(MediaState.WAITING, "The connection to the provider failed.")
    assert network.escapes == ["93.184.216.34"], "the checked address is the one that is connected to"
    network.escapes.clear()
    assert canary.heard == []


def test_the_token_does_not_travel_to_a_host_that_is_not_the_providers(order: Orders) -> None:
    asked = order("sample-image")
    for name in ("cloud", "360dialog", "turn", "onpremise", "kaleyra-v1", "kaleyra-v2"):
        provider = PROVIDERS[name]
        account = replace(asked.account, secrets=dict.fromkeys(provider.secret_names, "a-secret"))
        assert provider.media is not None
        for url in ("https://files.example.org/1", "https://lookaside.fbsbx.com.example.org/1", "https://x@a.example/"):
            assert "a-secret" not in str(dict(provider.media.fetch(account, url).headers)), (name, url)


def test_a_file_named_by_its_path_is_found_at_the_base_url(shelf: Shelf, order: Orders) -> None:
    """Turn.io and the on-premises API name no host."""
    asked = order("sample-image")
    ref = MediaRef("x", "/v1/media/x", None, None, None)
    result = run(shelf, replace(asked, access=PROVIDERS["turn"].media, ref=ref))
    assert result.state is MediaState.WAITING, "the simulator has no such path, but it was asked"
