"""What a broadcast is compared with: a bare client, which is what the peer can take, and one RQ job a recipient."""

import asyncio
import json
import subprocess
import sys
import time

import aiohttp
import uvloop
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text

from bench import greeting
from bench.textbook import QUEUE, URL
from tests.harness import simulator
from tests.harness.house import House
from tests.harness.simulator import Simulator

# Not in the queue, so that nobody else sends them.
_TEXTBOOK_ROWS = text("""
    WITH people AS (
        INSERT INTO person (environment, distinct_id, first_name)
        SELECT 'live', 'textbook-' || n, 'Name' || n FROM generate_series(1, :count) n
        RETURNING id, distinct_id, environment)
    INSERT INTO message
        (environment, number_id, person_id, direction, kind, occurred_at, author_kind, state, to_address)
    SELECT environment, :number_id, id, 'out', 'template', now(), 'automation', 'claimed',
           '+2012' || lpad(split_part(distinct_id, '-', 2), 8, '0')
      FROM people
    RETURNING id
""")


def raw_client(sim: Simulator, count: int, at_once: int) -> float:
    """Sends per second of a bare aiohttp client that posts the same bodies, `at_once` of them at a time."""
    bodies = [json.dumps(greeting.body(f"+2011{n:08d}", f"Name{n}", f"raw.{n}")).encode() for n in range(count)]
    began = time.perf_counter()
    uvloop.run(_post_all(sim, bodies, at_once))
    return count / (time.perf_counter() - began)


async def _post_all(sim: Simulator, bodies: list[bytes], at_once: int) -> None:
    url = f"{sim.url}/v25.0/{simulator.NUMBER_ID}/messages"
    headers = {"Authorization": f"Bearer {simulator.ACCESS_TOKEN}", "Content-Type": "application/json"}
    left = iter(bodies)

    async def lane(http: aiohttp.ClientSession) -> None:
        for body in left:
            async with http.post(url, data=body, headers=headers) as answer:
                await answer.read()
                assert answer.status == 200

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as http:
        await asyncio.gather(*(lane(http) for _ in range(at_once)))


def textbook(house: House, count: int) -> float:
    """Sends per second of one RQ job per recipient with RQ's own forking worker: read the row, POST, save the row."""
    url = f"{house.simulator.url}/v25.0/{simulator.NUMBER_ID}/messages"
    with house.rt.transaction() as session:
        ids = session.scalars(_TEXTBOOK_ROWS, {"count": count, "number_id": house.number_id}).all()
    with Redis.from_url(house.redis.url) as redis:
        queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
        for id_ in ids:
            queue.enqueue("bench.textbook.send", id_, result_ttl=0)
        command, environment = [sys.executable, "-m", "bench.textbook"], {**house.environment, URL: url}
        told = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
        redis.flushall()
    assert house.ask("SELECT count(*) FROM message WHERE state = 'accepted'") == count
    return count / float(told.stdout)
