"""A sender killed at each step of a send: what is in doubt is exactly what no process can know (case 40)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.messages import jobs
from tests.harness.campaign import launch
from tests.harness.house import House, open_house
from tests.harness.servers import Servers

DOUBT = {
    "FP1": (0, 0),  # before the claim is committed
    "FP2": (0, 0),  # after it: provably not sent
    "FP3": (1, 0),  # after the wire mark is committed
    "FP4": (1, 0),  # connected
    "FP5": (1, 0),  # amid the request
    "FP6": (1, 1),  # request out, answer not read
    "FP7": (1, 1),  # answer read, not yet written down
    "FP8": (0, 0),  # written down
}
"""Failpoint → how many messages are in doubt with one on the wire, and how many of these the provider took."""


@pytest.fixture(scope="module")
def still(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Webhooks come in and are applied; nobody sends but the test's own pumps."""
    folder: Path = tmp_path_factory.mktemp("still")
    with open_house(servers, folder) as house:
        house.start("web", "intake")
        yield house


def crash(house: House, failpoint: str, window: int, nth: int) -> None:
    """Kill a sender at a failpoint, let its leases end, let another one do the rest."""
    house.simulator.control("freeze", method="POST")
    told = house.pump("send", BACKCHAT_FAILPOINT=f"{failpoint}:kill9:{nth}", BACKCHAT_SEND_WINDOW=str(window))
    assert told == -9, f"the sender never passed {failpoint}"
    with house.rt.transaction() as session:
        session.execute(text("UPDATE message SET lease_until = now() WHERE lease_until IS NOT NULL"))
    jobs.sweep(house.rt)
    jobs.drain_outbox()


@pytest.mark.parametrize("failpoint", DOUBT)
def test_with_one_message_on_the_wire_a_crash_doubts_exactly_that_one(still: House, failpoint: str) -> None:
    before = still.verdict()
    launch(still, 6)
    crash(still, failpoint, window=1, nth=2)
    verdict = still.verdict()
    doubt, in_log = DOUBT[failpoint]
    assert verdict.is_green
    assert len(verdict.doubt - before.doubt) == doubt
    assert len(verdict.doubt_in_log) == in_log

    still.simulator.control("unfreeze", method="POST")
    still.settle()
    verdict = still.verdict()
    assert verdict.is_green
    assert verdict.doubt_in_log == set()
    assert len(verdict.doubt - before.doubt) == doubt - in_log


@pytest.mark.parametrize(
    "failpoint", [name if name in {"FP3", "FP7"} else pytest.param(name, marks=pytest.mark.slow) for name in DOUBT]
)
def test_a_crash_doubts_no_more_than_were_on_the_wire(still: House, failpoint: str) -> None:
    before = still.verdict()
    launch(still, 64)
    # The last answers may be written down all at once, so nobody can count on a second FP8.
    crash(still, failpoint, window=16, nth=1 if failpoint == "FP8" else 2)
    assert len(still.verdict().doubt - before.doubt) <= 16

    still.simulator.control("unfreeze", method="POST")
    still.settle()
    verdict = still.verdict()
    assert verdict.is_green
    assert verdict.doubt_in_log == set()
