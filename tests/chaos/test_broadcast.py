"""A broadcast while processes die around it: nobody twice, nobody missed, and what is in doubt is bounded and shown."""

import functools
import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from broadcasts import lifecycle, stopping
from broadcasts.transitions import Actor
from tests.harness.campaign import launch
from tests.harness.checker import watching
from tests.harness.children import Child, wait_until
from tests.harness.house import House

WINDOW = 16

sizes = pytest.mark.parametrize("size, faults", [(1000, 3), pytest.param(10_000, 10, marks=pytest.mark.slow)])


@pytest.fixture
def line(house: House) -> House:
    """All of Backchat, on a number slow enough that there is something to interrupt."""
    with house.rt.transaction() as session:
        session.execute(text("UPDATE number SET pace_per_s = 250"))
    return house


def moments(size: int, count: int, seed: int) -> list[int]:
    """How many were accepted when the next fault comes; the same for the same seed."""
    return sorted(random.Random(seed).sample(range(size // 20, size - size // 10), count))


def has_accepted(house: House, count: int) -> bool:
    return house.simulator.accepted() >= count


def finish(house: House, broadcast_id: int, timeout_s: float) -> None:
    query = "SELECT state = 'finished' FROM broadcast WHERE id = :id"
    wait_until(lambda: house.ask(query, id=broadcast_id), "the broadcast to finish", timeout_s=timeout_s, every_s=0.2)
    house.settle()


def interrupt(house: House, size: int, faults: int, seed: int, fault: Callable[[], Any]) -> int:
    """Run a broadcast with a fault at each of the seed's moments; its id, once all came to rest."""
    with watching(house.rt.engine):
        broadcast_id = launch(house, size)
        house.rt.ring("send")
        for moment in moments(size, faults, seed):
            wait_until(functools.partial(has_accepted, house, moment), f"{moment} sends", timeout_s=120)
            fault()
        finish(house, broadcast_id, timeout_s=60 + size / 100)
    return broadcast_id


def assert_right(house: House, doubt: int) -> None:
    verdict = house.verdict()
    assert verdict.is_green
    assert verdict.doubt_in_log == set(), "the statuses told of these, and we did not listen"
    assert len(verdict.doubt) <= doubt


def kill(child: Child) -> None:
    child.kill()
    child.start()


@sizes
@pytest.mark.timeout(900)
def test_workers_killed_at_random_moments_send_to_nobody_twice_and_miss_nobody(
    line: House, size: int, faults: int
) -> None:
    interrupt(line, size, faults, seed=37, fault=lambda: kill(line.children["send"]))
    assert_right(line, doubt=WINDOW * faults)


@sizes
@pytest.mark.timeout(900)
def test_a_work_horse_killed_alone_leaves_no_more_in_doubt_than_it_had_on_the_wire(
    line: House, size: int, faults: int
) -> None:
    send = line.children["send"]
    interrupt(line, size, faults, seed=39, fault=lambda: wait_until(send.kill_horse, "a horse at work"))
    assert_right(line, doubt=WINDOW * faults)


@pytest.mark.timeout(300)
def test_a_broadcast_survives_the_loss_of_all_workers_and_of_redis(line: House) -> None:
    workers = [name for name in line.children if name != "web"]

    def lose_everything() -> None:
        line.kill(*workers)
        line.lose_redis()
        line.start(*workers)

    with watching(line.rt.engine):
        broadcast_id = launch(line, 1000)
        line.rt.ring("send")
        wait_until(lambda: line.simulator.accepted() >= 500, "half of it")
        lose_everything()
        finish(line, broadcast_id, timeout_s=60)
    assert_right(line, doubt=WINDOW)


def test_redis_flushed_twenty_times_delays_but_loses_nothing(line: House) -> None:
    interrupt(line, 1000, 20, seed=93, fault=line.rt.redis.flushall)
    assert_right(line, doubt=0)


def test_after_a_pause_returns_nothing_more_is_accepted_and_the_rest_follows_on_resume(line: House) -> None:
    with watching(line.rt.engine):
        broadcast_id = launch(line, 1000)
        line.rt.ring("send")
        wait_until(lambda: line.simulator.accepted() >= 300, "30 %")
        counts = stopping.pause(line.rt, broadcast_id, Actor())
        accepted = line.simulator.accepted()
        assert accepted < 1000
        assert counts.in_flight == 0
        assert counts.accepted == accepted
        with pytest.raises(AssertionError):
            wait_until(lambda: line.simulator.accepted() > accepted, "a send in spite of the pause", timeout_s=3)
        with line.rt.transaction() as session:
            lifecycle.resume(session, broadcast_id, Actor())
        line.rt.ring("send")
        finish(line, broadcast_id, timeout_s=60)
    assert_right(line, doubt=0)
    assert line.simulator.accepted() == 1000


def test_a_lost_answer_is_never_sent_again_and_its_status_settles_it(line: House) -> None:
    line.simulator.set_faults(send={"drop_after": 0.01})
    interrupt(line, 1000, 0, seed=57, fault=lambda: None)
    requests = line.simulator.control("counts")
    dropped = sum(entry.get("fault") == "drop_after" for entry in line.simulator.log())
    assert dropped > 0
    assert requests["requests"] == requests["accepted"] == 1000
    assert_right(line, doubt=0)
