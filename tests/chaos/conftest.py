from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.harness.house import House, open_house
from tests.harness.servers import Servers


@pytest.fixture(scope="session")
def line(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All of Backchat started once, on a number slow enough that there is something to interrupt."""
    with open_house(servers, tmp_path_factory.mktemp("line")) as house:
        with house.rt.transaction() as session:
            session.execute(text("UPDATE number SET pace_per_s = 250"))
        house.start()
        yield house
