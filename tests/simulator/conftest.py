"""One simulator process for all tests here, emptied before each, and a business that hears its webhooks."""

from collections.abc import Iterator

import pytest

from tests.harness import simulator as harness
from tests.simulator.business import Business
from tests.simulator.desk import TEMPLATES, Desk


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[harness.Simulator]:
    folder = tmp_path_factory.mktemp("simulator")
    with harness.running(folder, templates=TEMPLATES) as started:
        yield started


@pytest.fixture(scope="session")
def listening() -> Iterator[Business]:
    with Business() as business:
        yield business


@pytest.fixture
def business(listening: Business) -> Business:
    """The callback of the account, with nothing heard yet."""
    listening.begin()
    return listening


@pytest.fixture
def sim(process: harness.Simulator, business: Business) -> Desk:
    """The simulator as configured at first, its log empty, calling `business`, one body after another.

    Of two that are on their way together the later may be heard first.
    """
    process.control("reset", {"log": True})
    account = harness.document(business.url)["accounts"]
    quick = {"window_ms": 20, "first_retry_ms": 20, "tries": 5, "concurrency": 1}
    process.configure(accounts=account, delivery=quick, faults={"hang_s": 0.3, "slow_s": 0.4, "pair_s": 0.3})
    return Desk(process)
