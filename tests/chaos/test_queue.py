"""What may happen to the doorbell: planted jobs, and rings that nobody hears."""

import os
import pickle
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


def test_a_pickle_planted_in_the_queue_is_never_opened(line: House, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for serializer in (PickleSerializer, JSONSerializer):
        job = Job.create("builtins.print", connection=line.rt.redis, serializer=serializer)
        job.save()
        line.rt.redis.hset(job.key, "data", pickle.dumps(("builtins.print", None, (Bomb(canary),), {})))
        queue = Queue("send", connection=line.rt.redis, serializer=JSONSerializer)
        queue.push_job_id(job.id)

    before = line.simulator.accepted()
    launch(line, 5)
    line.rt.ring("send")
    wait_until(lambda: line.simulator.accepted() == before + 5, "the broadcast behind the planted jobs")
    assert not canary.exists()
    assert line.children["send"].alive()


def test_a_message_whose_ring_died_with_the_web_process_is_applied_all_the_same(line: House) -> None:
    """Case 8."""
    line.kill("web")
    line.start("web", REDIS_URL="unix:///nowhere/redis.sock")
    assert line.simulator.say(ADA, "hello") == [200]
    line.kill("web")
    wait_until(lambda: inbound(line) == 1, "the message, though nobody rings")
    line.start("web")
    line.settle()
    assert inbound(line) == 1
    assert line.ask("SELECT count(*) FROM conversation") == 1


def inbound(house: House) -> int:
    return int(house.ask("SELECT count(*) FROM message WHERE direction = 'in'"))
