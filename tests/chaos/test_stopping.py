"""A deploy: whoever stops Backchat stops it, and nothing that was on the wire comes into doubt for it."""

import psutil

from tests.harness.campaign import launch
from tests.harness.children import wait_until
from tests.harness.house import House

UNSETTLED = "SELECT count(*) FROM message WHERE broadcast_id = :id AND state IN ('wire', 'claimed', 'unknown')"


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
