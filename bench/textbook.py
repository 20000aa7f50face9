"""The sender most tutorials build: one job per recipient, a row read and saved by each.

`python -m bench.textbook` is its worker: RQ's own, forking, with everything imported before it forks.
"""

import os
import urllib.request
from typing import Any

import orjson
from redis import Redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from sqlalchemy import create_engine, text

from tests.harness import simulator

URL_KEY = "bench:url"
QUEUE = "textbook"


def send(body: dict[str, Any]) -> None:
    """Post one message and save what became of it; an engine and a connection per job, as a forked job must."""
    with Redis.from_url(os.environ["REDIS_URL"]) as redis:
        url = redis.get(URL_KEY)
    assert isinstance(url, bytes)
    engine = create_engine(os.environ["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("SELECT id FROM person WHERE distinct_id = :id"), {"id": body["to"]})
    headers = {"Authorization": f"Bearer {simulator.ACCESS_TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(url.decode(), data=orjson.dumps(body), headers=headers)
    with urllib.request.urlopen(request, timeout=15) as answer:
        provider_message_id = orjson.loads(answer.read())["messages"][0]["id"]
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE message SET provider_message_id = :wamid WHERE source_key = :key"),
            {"wamid": provider_message_id, "key": f"textbook:{body['to']}"},
        )
    engine.dispose()


def work() -> None:
    """Run the queue dry."""
    with Redis.from_url(os.environ["REDIS_URL"]) as redis:
        queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
        Worker([queue], connection=redis, serializer=JSONSerializer).work(burst=True, logging_level="ERROR")


if __name__ == "__main__":
    work()
