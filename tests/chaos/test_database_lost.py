"""PostgreSQL stopped at once amid a broadcast, as a failover or a killed server leaves it (case 45)."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.host.server import Server
from tests.chaos.test_broadcast import WINDOW, Run
from tests.harness.children import wait_until
from tests.harness.house import House, open_house
from tests.harness.servers import own_postgres

STOPS = 3


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[tuple[House, Server]]:
    """A house on a PostgreSQL that nobody else uses; its answers take their time, so that a stop hits some of them."""
    with own_postgres() as (server, servers), open_house(servers, tmp_path) as house:
        house.simulator.set_faults(send={"slow": 1.0}, slow_s=0.1)
        with house.rt.transaction() as session:
            session.execute(text("UPDATE number SET pace_per_s = 100"))
        yield house, server


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_database_that_is_stopped_at_once_leaves_no_more_in_doubt_than_was_on_the_wire(
    apart: tuple[House, Server],
) -> None:
    house, server = apart
    house.start()
    run = Run(house, 1000)
    run.begin()
    for moment in (200, 450, 700):
        run.wait_for(moment)
        os.kill(server.pid, signal.SIGQUIT)
        wait_until(lambda: not server.alive(), "PostgreSQL to be gone", timeout_s=60)
        server.revive()
        house.rt.engine.dispose()
        for child in house.children.values():
            child.start()  # whoever had ended without a database, as a supervisor would
        house.rt.ring("send")
    run.finish(120)
    assert run.ever_in_doubt() <= WINDOW * STOPS
    run.assert_right(doubt=WINDOW * STOPS)  # a mark whose commit was not acknowledged is not followed by a send
    assert run.accepted() == 1000 - len(house.verdict().doubt)
