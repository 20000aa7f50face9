"""A deploy: whoever stops Backchat stops it, and nothing that was on the wire comes into doubt for it."""

import psutil
import pytest

from tests.chaos.test_broadcast import Run
from tests.harness.campaign import launch
from tests.harness.children import Child, wait_until
from tests.harness.house import House

UNSETTLED = "SELECT count(*) FROM message WHERE broadcast_id = :id AND state IN ('wire', 'claimed', 'unknown')"


OWNERS = "SELECT count(DISTINCT owner) FROM message WHERE broadcast_id = :id AND state = 'accepted'"


@pytest.mark.slow
def test_a_stop_that_reaches_every_process_at_once_lets_the_sender_hear_its_answers(line: House) -> None:
    line.simulator.set_faults(send={"slow": 1.0}, slow_s=0.5)
    line.simulator.control("freeze", method="POST")
    send = line.children["send"]
    before = line.simulator.accepted()
    broadcast = launch(line, 200)
    wait_until(lambda: line.simulator.accepted() > before + 20, "a sender at work")

    family: list[psutil.Process] = send.family()
    for process in family:  # as systemd does it, and every platform that signals a whole container
        process.terminate()
    psutil.wait_procs(family, timeout=20)

    line.simulator.set_faults(send={})
    assert line.ask(UNSETTLED, id=broadcast) == 0
    line.simulator.control("unfreeze", method="POST")
    send.start()
    line.settle()


def test_a_sender_that_is_stopped_while_its_successor_is_at_work_leaves_nothing_in_doubt(line: House) -> None:
    """A rolling deploy, in which both send for a while; what differs between two releases is not in it."""
    send = line.children["send"]
    successor = Child("next-send", send.command, send.environment, send.folder)
    line.simulator.set_faults(send={"slow": 1.0}, slow_s=0.1)
    run = Run(line, 500)
    try:
        successor.start()
        run.begin()
        wait_until(lambda: ring_until(line, run.id), "both at work")
        before = run.accepted()
        send.stop(20)
        line.simulator.set_faults(send={})
        run.finish()
        assert before < 500, "or there was nothing left to hand over"
    finally:
        line.simulator.set_faults(send={})
        successor.stop()
        send.start()
    run.assert_right(doubt=0)
    assert (run.accepted(), run.ever_in_doubt()) == (500, 0)


def ring_until(line: House, broadcast_id: int) -> bool:
    """Whether two senders have sent of it; each ring that is heard may wake the other one."""
    line.rt.ring("send")
    return bool(line.ask(OWNERS, id=broadcast_id) == 2)
