"""A deploy: whoever stops Backchat stops it, and nothing that was on the wire comes into doubt for it."""

from collections.abc import Callable

import pytest

from tests.chaos.test_broadcast import Run
from tests.harness.campaign import launch
from tests.harness.children import Child, wait_until
from tests.harness.house import House

UNSETTLED = "SELECT count(*) FROM message WHERE broadcast_id = :id AND state IN ('wire', 'claimed', 'unknown')"


OWNERS = "SELECT count(DISTINCT owner) FROM message WHERE broadcast_id = :id AND state = 'accepted'"


def _stop_each(child: Child) -> None:
    """As systemd does it, and every platform that signals a whole container."""
    for process in child.descendants():
        process.terminate()
    child.stop()


@pytest.mark.slow
def test_a_stop_that_reaches_every_process_at_once_lets_the_sender_hear_its_answers(line: House) -> None:
    line.simulator.set_faults(send={"slow": 1.0}, slow_s=0.5)
    line.simulator.control("freeze", method="POST")
    send = line.children["send"]
    before = line.simulator.accepted()
    broadcast = launch(line, 200)
    wait_until(lambda: line.simulator.accepted() > before + 20, "a sender at work")

    _stop_each(send)

    line.simulator.set_faults(send={})
    assert line.ask(UNSETTLED, id=broadcast) == 0
    line.simulator.control("unfreeze", method="POST")
    send.start()
    line.settle()


@pytest.mark.slow
@pytest.mark.parametrize("redis_goes", ["before", "meanwhile"])
@pytest.mark.parametrize("stop", [Child.stop, _stop_each])
def test_a_sender_that_is_stopped_while_redis_is_away_leaves_nothing_in_doubt(
    line: House, redis_goes: str, stop: Callable[[Child], None]
) -> None:
    """Its worker hears at a heartbeat, every ten seconds, that Redis is away, and looks by itself from then on."""
    send = line.children["send"]
    heard, before = _without_redis(send), line.simulator.accepted()
    line.simulator.set_faults(send={"slow": 1.0}, slow_s=0.5)
    try:
        if redis_goes == "before":
            line.redis.stop()
            wait_until(lambda: _without_redis(send) > heard, "a sender without Redis")
        broadcast = launch(line, 1000)
        wait_until(lambda: line.simulator.accepted() > before + 20, "a sender at work")
        if redis_goes == "meanwhile":
            line.redis.stop()
            wait_until(lambda: _without_redis(send) > heard, "a sender without Redis")
        stop(send)
        assert line.ask(UNSETTLED, id=broadcast) == 0
        assert line.simulator.accepted() < before + 1000, "or there was nobody to stop"
        assert send.process is not None
        assert send.process.poll() == 0
    finally:
        line.simulator.set_faults(send={})
        line.redis.revive()
        line.start()
    line.settle()


def _without_redis(sender: Child) -> int:
    """How often it has begun to look by itself."""
    return sender.output().count("worker.redis_away")


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
