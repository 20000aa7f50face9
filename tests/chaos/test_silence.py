"""What nobody answered and nobody reports on: presumed unsent while reports come in, in doubt while they do not."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.messages import jobs
from tests.harness.campaign import launch
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import Servers

pytestmark = pytest.mark.slow

SILENCE_S = 2
SIZE = 60
FINISHED = "SELECT state = 'finished' FROM broadcast WHERE id = :id"
IN_STATE = "SELECT count(*) FROM message WHERE broadcast_id = :id AND state = :state"
IDS = "SELECT array_agg(id ORDER BY id) FROM message WHERE broadcast_id = :id AND state = 'presumed_unsent'"
RELEASED = "SELECT array_agg(id ORDER BY id) FROM message WHERE broadcast_id = :id AND possible_duplicate"


@pytest.fixture(scope="module")
def quick(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house where silence says something after seconds."""
    folder: Path = tmp_path_factory.mktemp("quick")
    with open_house(servers, folder, BACKCHAT_SILENCE_S=str(SILENCE_S)) as house:
        house.start("intake", "send", "clock")
        yield house


def send(house: House) -> int:
    """Send to new people by a provider that loses some of what it is sent."""
    house.simulator.set_faults(send={"drop_before": 0.2})
    broadcast = launch(house, SIZE)
    house.rt.ring("send")
    wait_until(lambda: house.ask(FINISHED, id=broadcast), "the end", timeout_s=120)
    house.simulator.set_faults(send={})
    return broadcast


def state(house: House, broadcast: int, name: str) -> int:
    return int(house.ask(IN_STATE, id=broadcast, state=name))


def test_who_is_presumed_unsent_waits_for_a_decision_and_is_then_sent_once(quick: House) -> None:
    """Case 58."""
    quick.start("web")
    before = quick.simulator.accepted()
    broadcast = send(quick)
    everybody = before + SIZE
    lost = everybody - quick.simulator.accepted()
    assert lost > 0
    wait_until(lambda: state(quick, broadcast, "presumed_unsent") == lost, "the silence to say something", timeout_s=90)
    presumed = quick.ask(IDS, id=broadcast)
    jobs.sweep(quick.rt)
    assert quick.simulator.accepted() == everybody - lost, "nobody has said that these may be sent once more"

    with quick.rt.transaction() as session:
        session.execute(text("UPDATE broadcast SET resends_unsent = true WHERE id = :id"), {"id": broadcast})
    wait_until(lambda: quick.simulator.accepted() == everybody, "those who were lost", timeout_s=90)
    quick.settle()
    assert quick.ask(RELEASED, id=broadcast) == presumed
    assert state(quick, broadcast, "accepted") == SIZE
    assert quick.verdict().is_green


def test_while_no_report_comes_in_nothing_is_concluded(quick: House) -> None:
    """Case 59."""
    quick.kill("web")
    before = quick.simulator.accepted()
    broadcast = send(quick)
    lost = before + SIZE - quick.simulator.accepted()
    assert lost > 0
    time.sleep(3 * SILENCE_S)
    jobs.sweep(quick.rt)
    assert (state(quick, broadcast, "unknown"), state(quick, broadcast, "presumed_unsent")) == (lost, 0)
