"""The sender most tutorials build: one job per recipient, which reads a row, posts it and saves what became of it.

`python -m bench.textbook` is its worker: RQ's own, forking, with everything imported and the engine made before it
forks. A connection cannot cross a fork, so each job opens its own.
"""

import functools
import os
import time
import urllib.request

import orjson
from redis import Redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from sqlalchemy import Engine, create_engine, text

from bench import greeting
from tests.harness import simulator

QUEUE = "textbook"
URL = "TEXTBOOK_URL"
"""Where to post, in the worker's environment."""

_READ = text("SELECT m.to_address, p.first_name FROM message m JOIN person p ON p.id = m.person_id WHERE m.id = :id")
_SAVE = text("""
    UPDATE message SET state = 'accepted', accepted_at = now(), provider_message_id = :provider_id WHERE id = :id
""")


def send(message_id: int) -> None:
    """The job."""
    with _engine().connect() as connection:
        to, name = connection.execute(_READ, {"id": message_id}).one()
    headers = {"Authorization": f"Bearer {simulator.ACCESS_TOKEN}", "Content-Type": "application/json"}
    body = orjson.dumps(greeting.body(to, name, f"textbook.{message_id}"))
    request = urllib.request.Request(os.environ[URL], data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=15) as answer:
        provider_id = orjson.loads(answer.read())["messages"][0]["id"]
    with _engine().begin() as connection:
        connection.execute(_SAVE, {"id": message_id, "provider_id": provider_id})


def work() -> None:
    """Run the queue dry and print the seconds it took."""
    _engine()
    with Redis.from_url(os.environ["REDIS_URL"]) as redis:
        queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
        began = time.perf_counter()
        Worker([queue], connection=redis, serializer=JSONSerializer).work(burst=True, logging_level="ERROR")
        print(time.perf_counter() - began)


@functools.cache
def _engine() -> Engine:
    return create_engine(os.environ["DATABASE_URL"])


if __name__ == "__main__":
    work()
