"""Two pumps on one number for a minute, as an orphaned work-horse and its successor would be (case 38)."""

import sys
from bisect import bisect_left

import pytest
from sqlalchemy import text

from tests.chaos.test_broadcast import Run
from tests.harness.checker import watching
from tests.harness.children import Child
from tests.harness.house import House
from tests.harness.simulator import BUSINESS_PHONE, NUMBER_ID, WABA_ID

PACE = 40
SIZE = 2_600
SPAN_S = 10
OWNERS = "SELECT count(*) FROM (SELECT FROM message WHERE broadcast_id = :id GROUP BY owner HAVING count(*) > 400) o"


@pytest.mark.slow
@pytest.mark.full  # how the two share is the machine's affair: on a busy one the second may hardly get a turn
@pytest.mark.timeout(300)
def test_two_pumps_on_one_number_send_to_nobody_twice_and_keep_its_pace(empty_house: House) -> None:
    """Neither has a parent that could take it along: the guard of the worker is not asked at all."""
    house, run = empty_house, Run(empty_house, SIZE)
    line = {"id": NUMBER_ID, "waba_id": WABA_ID, "display_phone_number": BUSINESS_PHONE, "check_window": False}
    house.simulator.configure(numbers=[line])
    with house.rt.transaction() as session:
        session.execute(text("UPDATE number SET pace_per_s = :pace"), {"pace": PACE})
    house.start("web", "intake", "clock")
    command = [sys.executable, "-m", "tests.harness.pump", "send"]
    orphans = [Child(f"orphan-{number}", command, house.environment, house.folder) for number in (1, 2)]
    try:
        with watching(house.rt.engine):
            run.begin()
            for orphan in orphans:
                orphan.start(BACKCHAT_PUMP_S="200")
            run.finish(200)
    finally:
        for orphan in orphans:
            orphan.kill()
    run.assert_right(doubt=0)
    assert (run.accepted(), run.ever_in_doubt()) == (SIZE, 0)
    assert house.ask(OWNERS, id=run.id) == 2, "with one of them idle nothing is proven"
    times = sorted(entry["time"] for entry in house.simulator.log())
    assert times[-1] - times[0] > 60
    most = max(bisect_left(times, at + SPAN_S) - index for index, at in enumerate(times))
    assert most <= 1.05 * PACE * SPAN_S
