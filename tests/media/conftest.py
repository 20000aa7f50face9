"""A simulator for all tests here, a listener that must stay alone, and rows as the intake makes them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.connections.connections import account_of
from bot.media.fetching import Order
from bot.media.shelf import Shelf, open_shelf
from bot.models.message import Media
from bot.providers.base import Account
from bot.providers.events import MediaRef
from bot.providers.registry import PROVIDERS
from bot.runtime import Runtime
from tests.harness import simulator as harness
from tests.harness.simulator import Simulator
from tests.media.canary import Canary
from tests.media.rows import make_line, make_media


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with harness.running(tmp_path_factory.mktemp("simulator")) as started:
        yield started


@pytest.fixture
def provider(process: Simulator) -> Simulator:
    """The simulator, with everything a test before told it forgotten."""
    process.control("reset", {"log": True})
    process.set_faults(hang_s=30, media_life_s=300, media_redirect="")
    return process


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary() as listening:
        yield listening


@pytest.fixture
def shelf(tmp_path: Path, rt: Runtime) -> Shelf:
    return open_shelf(rt.settings)


@pytest.fixture
def order(provider: Simulator) -> Callable[..., Order]:
    """Media id at the simulator → what a worker is asked to do."""
    account = Account(f"{provider.url}/v25.0", harness.WABA_ID, {"access_token": harness.ACCESS_TOKEN})

    def make(media_id: str | None, *, sha256: str | None = None, url: str | None = None, **more: Any) -> Order:
        values: dict[str, Any] = {"most": 5 * 1024 * 1024} | more
        ref = MediaRef(media_id, url, None, sha256, None)
        return Order(1, PROVIDERS["cloud"].media, account, harness.NUMBER_ID, ref, **values)

    return make


@pytest.fixture
def media(session: Session, rt: Runtime, provider: Simulator) -> Callable[..., Media]:
    """A row that waits, on a line to the simulator."""
    number = make_line(session, rt.settings, provider)
    assert account_of(number.connection, rt.settings).secrets["access_token"]

    def make(media_id: str = "sample-image", **more: Any) -> Media:
        found = make_media(session, number, media_id, **more)
        session.commit()
        return found

    return make
