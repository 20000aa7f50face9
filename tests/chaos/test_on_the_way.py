"""What happens to a message after its broadcast was launched: its person stops it, or the provider hangs."""

import pytest
from sqlalchemy import text

from bot.models.connection import Number
from tests import factories
from tests.harness.campaign import TEMPLATE, launch
from tests.harness.children import wait_until
from tests.harness.house import House

pytestmark = pytest.mark.slow

LATE = "+15005550015"
"""The simulator answers this number only after `hang_s`, and accepts then (docs/simulator.md)."""

LAST = "SELECT to_address FROM message WHERE broadcast_id = :id ORDER BY id DESC LIMIT 1"
STANDING = "SELECT state FROM message WHERE broadcast_id = :id ORDER BY id DESC LIMIT 1"
DOUBTED = "SELECT json_build_array(state, evidence, unknown_at IS NOT NULL) FROM message WHERE broadcast_id = :id"
STOPPED = "SELECT count(*) FROM person WHERE marketing_opted_out_at IS NOT NULL"
FINISHED = "SELECT state = 'finished' FROM broadcast WHERE id = :id"


def test_who_writes_stop_while_waiting_is_left_out(empty_house: House) -> None:
    """Case 52."""
    house = empty_house
    with house.rt.transaction() as session:
        number = session.get_one(Number, house.number_id)
        factories.make_template(session, number.connection, name=TEMPLATE, category="MARKETING")
        session.execute(text("UPDATE number SET pace_per_s = 10"))
    house.start("web", "intake", "send", "clock")
    broadcast = launch(house, 60)
    last = house.ask(LAST, id=broadcast)
    house.rt.ring("send")
    wait_until(lambda: house.simulator.accepted() > 3, "a broadcast on its way")
    assert house.simulator.say(last, "STOP") == [200]
    wait_until(lambda: house.ask(STOPPED) == 1, "the stop to count")
    assert last not in [entry["to"] for entry in house.simulator.log()], "or nothing is proven"
    with house.rt.transaction() as session:
        session.execute(text("UPDATE number SET pace_per_s = 5000"))
    wait_until(lambda: house.ask(FINISHED, id=broadcast), "the end", timeout_s=90)
    house.settle()
    assert house.ask(STANDING, id=broadcast) == "suppressed"
    heard = [entry for entry in house.simulator.log() if entry["to"].lstrip("+") == last.lstrip("+")]
    assert [entry["type"] for entry in heard] == ["text"], "but the confirmation of the stop"
    assert house.verdict().is_green


def test_an_answer_that_hangs_is_not_waited_for_nor_asked_for_again(
    line: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 63."""
    line.simulator.set_faults(send={}, hang_s=6)
    monkeypatch.setattr(factories, "next_phone", lambda: LATE)
    broadcast = launch(line, 1)
    line.rt.ring("send")
    wait_until(lambda: line.ask(DOUBTED, id=broadcast) == ["accepted", "callback", True], "its status", timeout_s=60)
    heard = [entry for entry in line.simulator.log() if entry["to"].lstrip("+") == LATE.lstrip("+")]
    assert len(heard) == 1
    line.settle()
    assert line.verdict().is_green
