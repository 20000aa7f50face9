"""A broadcast while processes die around it: nobody twice, nobody missed, and what is in doubt is bounded and shown."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from bot.host import family
from bot.insights import rebuilding
from broadcasts.control import lifecycle, stopping
from broadcasts.transitions import Actor
from tests.harness.campaign import launch
from tests.harness.checker import watching
from tests.harness.children import Child, wait_until
from tests.harness.house import House
from tests.harness.sizes import slow_sizes

WINDOW = 16

killed = pytest.mark.parametrize("size, faults", slow_sizes((1000, 5), (10_000, 10)))


@dataclass
class Run:
    """One broadcast of a house that may have seen others."""

    house: House
    size: int
    accepted_before: int = 0
    doubt_before: int = 0
    id: int = 0

    def begin(self) -> None:
        self.accepted_before = self.house.simulator.accepted()
        self.doubt_before = len(self.house.verdict().doubt)
        self.id = launch(self.house, self.size)
        self.house.rt.ring("send")

    def accepted(self) -> int:
        return self.house.simulator.accepted() - self.accepted_before

    def wait_for(self, count: int, timeout_s: float = 120.0) -> None:
        wait_until(lambda: self.accepted() >= count, f"{count} sends", timeout_s=timeout_s, every_s=0.01)

    def finish(self, timeout_s: float = 60.0) -> None:
        query = "SELECT state = 'finished' FROM broadcast WHERE id = :id"
        wait_until(lambda: self.house.ask(query, id=self.id), "the end", timeout_s=timeout_s, every_s=0.2)
        self.house.simulator.control("unfreeze", method="POST")
        self.house.settle()

    def ever_in_doubt(self) -> int:
        query = "SELECT count(*) FROM message WHERE broadcast_id = :id AND unknown_at IS NOT NULL"
        return int(self.house.ask(query, id=self.id))

    def assert_right(self, doubt: int) -> None:
        """Nobody twice, nobody missed, and at most `doubt` people of whom the provider never told us anything."""
        verdict = self.house.verdict()
        assert verdict.is_green
        assert verdict.doubt_in_log == set(), "the statuses told of these, and we did not listen"
        assert len(verdict.doubt) - self.doubt_before <= doubt

    def assert_counted(self) -> None:
        """Insights has counted each message once, as it is now."""
        query = "SELECT EXISTS (SELECT FROM insight_generation WHERE is_current)"
        wait_until(lambda: self.house.ask(query), "the clock to have counted everything once")
        assert rebuilding.rebuild(self.house.rt, only_check=True).differences == []


def moments(size: int, count: int, seed: int) -> list[int]:
    """How many are accepted when the next fault comes, the same for the same seed; the last ones see the last fault.

    Whoever is in doubt after a fault may never be accepted, so the last fault does not wait for these.
    """
    last = size - WINDOW * count
    return [*sorted(random.Random(seed).sample(range(size // 20, size - size // 10), count - 1)), last]


@pytest.fixture
def slow_line(line: House) -> Iterator[House]:
    """Answers take their time, so that a kill hits accepted messages on the wire; statuses come at the end."""
    line.simulator.set_faults(send={"slow": 1.0}, slow_s=0.05)
    line.simulator.control("freeze", method="POST")
    yield line
    line.simulator.control("unfreeze", method="POST")
    line.simulator.set_faults(send={})


def interrupt(house: House, size: int, faults: int, seed: int, fault: Callable[[], Any]) -> Run:
    """Run a broadcast to its end with a fault at each of the seed's moments, the invariants watched all along.

    After each somebody rings, as the next message would; that nobody need ring is another test's.
    """
    run = Run(house, size)
    with watching(house.rt.engine):
        run.begin()
        for moment in moments(size, faults, seed):
            run.wait_for(moment)
            fault()
            house.rt.ring("send")
        run.finish(60 + size / 100)
    return run


def set_pace(house: House, per_s: int) -> None:
    with house.rt.transaction() as session:
        session.execute(text("UPDATE number SET pace_per_s = :pace"), {"pace": per_s})


def restart(child: Child) -> None:
    """SIGKILL the worker alone: what it had forked goes with it, or two would soon send the same."""
    child.kill_alone()
    wait_until(lambda: not family.members(child.mark), "the work-horse to be gone")
    child.start()


@killed
def test_workers_killed_at_random_moments_send_to_nobody_twice_and_miss_nobody(
    slow_line: House, size: int, faults: int
) -> None:
    run = interrupt(slow_line, size, faults, seed=37, fault=lambda: restart(slow_line.children["send"]))
    run.assert_right(doubt=WINDOW * faults)
    assert 0 < run.ever_in_doubt() <= WINDOW * faults, "with none on the wire when a kill came, nothing is proven"


@killed
def test_a_work_horse_killed_alone_leaves_no_more_in_doubt_than_it_had_on_the_wire(
    slow_line: House, size: int, faults: int
) -> None:
    send = slow_line.children["send"]
    run = interrupt(slow_line, size, faults, seed=39, fault=lambda: wait_until(send.kill_horse, "a horse at work"))
    run.assert_right(doubt=WINDOW * faults)
    assert 0 < run.ever_in_doubt() <= WINDOW * faults, "with none on the wire when a kill came, nothing is proven"


def test_a_broadcast_survives_the_loss_of_all_workers_and_of_redis(slow_line: House) -> None:
    line = slow_line
    workers = [name for name in line.children if name != "web"]

    def lose_everything() -> None:
        line.kill(*workers)
        line.lose_redis()
        line.start(*workers)

    run = Run(line, 500)
    with watching(line.rt.engine):
        run.begin()
        run.wait_for(250)
        lose_everything()
        run.finish(60)
    run.assert_right(doubt=WINDOW)
    run.assert_counted()


@pytest.mark.slow
def test_redis_flushed_at_random_moments_delays_but_loses_nothing(line: House) -> None:
    run = Run(line, 1000)
    with watching(line.rt.engine):
        line.kill("send")
        run.begin()
        line.rt.redis.flushall()  # the one ring there was
        line.start("send")
        for moment in moments(1000, 20, seed=93):
            run.wait_for(moment, timeout_s=30)
            line.rt.redis.flushall()
        run.finish(30)
    run.assert_right(doubt=0)


def test_once_a_pause_is_committed_nothing_more_goes_out_and_the_rest_follows_on_resume(line: House) -> None:
    run = Run(line, 300)
    set_pace(line, 100)
    with watching(line.rt.engine):
        run.begin()
        run.wait_for(30)
        with line.rt.transaction() as session:
            lifecycle.pause(session, run.id, Actor())
        paused_at = line.ask("SELECT clock_timestamp()")
        counts = stopping.wait_drained(line.rt, run.id)
        accepted = run.accepted()
        assert accepted < 300
        assert (counts.in_flight, counts.accepted) == (0, accepted)
        time.sleep(2)
        assert run.accepted() == accepted
        assert line.ask("SELECT count(*) FROM message WHERE wire_at > :at", at=paused_at) == 0
        with line.rt.transaction() as session:
            lifecycle.resume(session, run.id, Actor())
        set_pace(line, 250)
        line.rt.ring("send")
        run.finish()
    run.assert_right(doubt=0)
    assert run.accepted() == 300


def test_a_lost_answer_is_never_asked_for_again_and_its_status_settles_it(line: House) -> None:
    line.simulator.set_faults(send={"drop_after": 0.1})
    line.simulator.control("freeze", method="POST")
    run = Run(line, 200)
    with watching(line.rt.engine):
        run.begin()
        run.finish()
    line.simulator.set_faults(send={})
    lost = [entry for entry in line.simulator.log() if entry.get("fault") == "drop_after"]
    assert run.ever_in_doubt() == len(lost) > 0
    assert run.accepted() == 200
    run.assert_right(doubt=0)
