"""PostgreSQL gone from one instruction to the next, with all it had not written yet (case 46).

Whatever had not reached the operating system is lost, as in a power cut; that what has reached it is on the disk too
is the word of fsync, which this server gives and no test here can doubt.
"""

import contextlib
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from bot.host.server import Server
from tests.chaos.test_broadcast import WINDOW, Run
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import own_postgres
from tests.harness.simulator import message_of

CUTS = 20
SIZE = 2000

# What a sender takes for unsent: the same whose bytes left before would leave a second time.
_UNSENT = text("SELECT id FROM message WHERE id = ANY(:ids) AND state IN ('queued', 'claimed')")


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[tuple[House, Server]]:
    """A house on a PostgreSQL that nobody else uses, set up as `backchat run` sets up its own; statuses come last."""
    with own_postgres() as (server, servers), open_house(servers, tmp_path) as house:
        house.simulator.set_faults(send={"slow": 1.0}, slow_s=0.05)
        house.simulator.control("freeze", method="POST")
        with house.rt.transaction() as session:
            session.execute(text("UPDATE number SET pace_per_s = 200"))
        yield house, server


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_after_a_power_cut_nobody_whose_message_left_is_taken_for_unsent(apart: tuple[House, Server]) -> None:
    house, server = apart
    house.start()
    run = Run(house, SIZE)
    run.begin()
    for moment in sorted(random.Random(46).sample(range(50, SIZE - 2 * WINDOW * CUTS), CUTS)):
        run.wait_for(moment)
        cut_power(house, server)
        assert unsent_though_accepted(house) == set()
        for child in house.children.values():
            child.start()  # whoever had ended without a database, as a supervisor would
        house.rt.ring("send")
    run.finish(120)
    assert 0 < run.ever_in_doubt() <= WINDOW * CUTS, "with none on the wire when a cut came, nothing is proven"
    run.assert_right(doubt=WINDOW * CUTS)  # who was marked and not yet written to is never reported on
    assert run.accepted() == SIZE - len(house.verdict().doubt)


def cut_power(house: House, server: Server) -> None:
    """PostgreSQL stands still first, so that none of its processes writes anything while the others die."""
    with contextlib.suppress(psutil.NoSuchProcess):
        main = psutil.Process(server.pid)
        family = [main, *main.children(recursive=True)]
        for each in (signal.SIGSTOP, signal.SIGKILL):
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(each)
            if each == signal.SIGSTOP:
                house.kill("send")
    wait_until(lambda: not server.alive(), "PostgreSQL to be gone", timeout_s=60)
    server.revive()
    house.rt.engine.dispose()


def unsent_though_accepted(house: House) -> set[int]:
    """Messages that WhatsApp has taken and that would be sent again."""
    sent = [mark for entry in house.simulator.log() if (mark := message_of(entry)) is not None]
    with house.rt.engine.connect() as connection:
        return set(connection.scalars(_UNSENT, {"ids": sent}))
