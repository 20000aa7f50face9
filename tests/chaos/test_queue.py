"""What may happen to the doorbell: planted jobs, and rings that nobody hears."""

import os
import pickle
import time
from pathlib import Path
from typing import Any

from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer, PickleSerializer

from tests.harness.campaign import launch
from tests.harness.children import wait_until
from tests.harness.house import House

ADA = "+201011111111"


class Bomb:
    """Runs a command in whoever unpickles it."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.canary}",)


def test_a_pickle_planted_in_the_queue_is_never_opened(house: House, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for serializer in (PickleSerializer, JSONSerializer):
        job = Job.create("builtins.print", connection=house.rt.redis, serializer=serializer)
        job.save()
        house.rt.redis.hset(job.key, "data", pickle.dumps(("builtins.print", None, (Bomb(canary),), {})))
        queue = Queue("send", connection=house.rt.redis, serializer=JSONSerializer)
        queue.push_job_id(job.id)

    launch(house, 5)
    house.rt.ring("send")
    wait_until(lambda: house.simulator.accepted() == 5, "the broadcast behind the planted jobs")
    assert not canary.exists()
    assert house.children["send"].alive()


def test_a_message_whose_ring_died_with_the_web_process_is_applied_all_the_same(empty_house: House) -> None:
    house = empty_house
    house.start("intake", "clock")
    house.start("web", REDIS_URL="unix:///nowhere/redis.sock")
    assert house.simulator.say(ADA, "hello") == [200]
    house.kill("web")
    acknowledged = time.monotonic()
    wait_until(lambda: house.ask("SELECT count(*) FROM message WHERE direction = 'in'") == 1, "the message")
    assert time.monotonic() - acknowledged < 10
    time.sleep(3)
    assert house.ask("SELECT count(*) FROM message") == 1
    assert house.ask("SELECT count(*) FROM conversation") == 1
