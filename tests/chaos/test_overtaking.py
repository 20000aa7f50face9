"""A status that is quicker than the answer it belongs to."""

import time

import pytest

from tests import factories
from tests.harness.campaign import launch
from tests.harness.children import wait_until
from tests.harness.house import House

HASTY = "+15005550016"
"""At this number the simulator reports at once and answers `slow_s` later (docs/simulator.md)."""
SLOW_S = 2.0

STANDING = """
    SELECT json_build_array(state, evidence, provider_message_id, delivery_level) FROM message WHERE broadcast_id = :id
"""


def test_a_status_before_the_answer_settles_the_message_and_the_answer_changes_nothing(
    line: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.simulator.set_faults(send={}, slow_s=SLOW_S)
    monkeypatch.setattr(factories, "next_phone", lambda: HASTY)
    broadcast = launch(line, 1)
    line.rt.ring("send")
    wait_until(lambda: line.ask(STANDING, id=broadcast)[3] == 3, "the statuses", timeout_s=30)
    [sent] = [entry for entry in line.simulator.log() if entry["to"].lstrip("+") == HASTY.lstrip("+")]
    early = line.ask(STANDING, id=broadcast)
    assert early == ["accepted", "callback", sent["wamid"], 3]

    time.sleep(SLOW_S + 1)  # the answer is recorded meanwhile
    line.settle()
    assert line.ask(STANDING, id=broadcast) == early
    assert line.verdict().is_green
